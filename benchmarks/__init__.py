"""Speed, side by side with what it is compared to: `python -m benchmarks`. What each row means: docs/speed.md."""
