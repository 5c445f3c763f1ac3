"""From SBML and Antimony texts to the intermediate form: screening, checks, formulas, copying."""
