"""Claims: which value or direction is stated of which slot."""
