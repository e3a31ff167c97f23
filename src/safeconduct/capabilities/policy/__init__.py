"""What is allowed: packs, input, decision, and the engine behind them."""
