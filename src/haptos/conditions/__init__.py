"""What an experimenter does, declared: interventions, surroundings, arms, comparisons."""
