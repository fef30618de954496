"""The audit: attacks on the verifiers, and what each of them earns."""
