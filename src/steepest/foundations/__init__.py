"""The mathematics underneath: vectors, probability, numeric derivatives."""
