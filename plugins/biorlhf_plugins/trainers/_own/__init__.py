"""Learning from the policy's own answers: the pairs and texts made of them, and what they are to state."""
