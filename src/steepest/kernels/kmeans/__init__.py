"""Kernels of k-means: points in SIMD lanes, assignment and sums fused, no distance matrix."""
