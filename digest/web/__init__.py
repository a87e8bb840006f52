"""The pages that people meet: subscribing, preferences, unsubscribing, archive, feedback, and those of the operator."""
