"""What a user writes: frozen, validated TOML cards."""
