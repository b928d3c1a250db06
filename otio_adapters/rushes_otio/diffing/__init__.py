"""Two cuts compared, in the words that editors use."""
