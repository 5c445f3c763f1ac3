"""From interventions to changes of the model: which handle, which species, when.

An intervention acts only through handles (parameters ``<handle>__<target>``), inputs of the
surroundings and species of the medium. What the composed model does not offer is reported as
a reason, never ignored.
"""

from haptos.signalling.actions.change import Change, Offer, Refusal
from haptos.signalling.actions.medium import surroundings_of
from haptos.signalling.actions.translate import changes_of, changes_of_arm

__all__ = ["Change", "Offer", "Refusal", "changes_of", "changes_of_arm", "surroundings_of"]
