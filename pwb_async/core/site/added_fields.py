"""The fields that options and rules add to responses: CORS, then security, then the rules, which decide."""

from functools import partial

from pwb_async.core.events import BadRequest
from pwb_async.core.semantics.messages import FieldList, Request

from .cors import Cors
from .header_rules import FieldStep, HeaderRules, add_vary
from .security_fields import SecurityFields
from .variants import combine, scheme_variant


class AddedFields:
    """What a site adds to the fields of its responses.

    Args:
        cors: The origins whose scripts may read responses; None for none.
        security: The fields that make browsers stricter; None for none.
        rules: The rules, of which those of --header come first.
        over_tls: What is added instead if a proxy has reported that the client uses https; None for the same.
    """

    def __init__(
        self,
        cors: Cors | None = None,
        security: SecurityFields | None = None,
        rules: HeaderRules | None = None,
        *,
        over_tls: "AddedFields | None" = None,
    ) -> None:
        self._over_tls = over_tls
        self._cors, self._security = cors, security
        self.rules = rules or HeaderRules()
        """The rules."""
        self.variant = combine(None if cors is None else cors.variant, scheme_variant if over_tls else None)
        """The function of the field section on which the fields depend; None for none."""
        self.own_page: FieldList = security.own_page if security else ()
        """The fields of PWB's own pages."""

    def __bool__(self) -> bool:
        return bool(self._cors or self._security or self.rules)

    def apply(self, event: Request | BadRequest, status: int, fields: FieldList, is_file: bool = True) -> FieldList:
        """The fields of the response to `event` with those that are added. is_file: whether it is made of a file."""
        for step in self.steps(event, is_file):
            fields = step.apply(status, fields)
        return fields

    def steps(self, event: Request | BadRequest, is_file: bool = True) -> list[FieldStep]:
        """What is done to the fields of the response to `event`, in order."""
        if self._over_tls is not None and event.fields is not None and scheme_variant(event.fields):
            return self._over_tls.steps(event, is_file)
        steps = []
        if self._cors is not None:
            steps.append(FieldStep("--cors", partial(self._allow_origin, self._cors, event)))
        if self._security is not None:
            steps.append(FieldStep(self._security.place, self._security.apply))
        request = event if isinstance(event, Request) else None
        return steps + self.rules.steps(request, is_file) if self.rules else steps

    def _allow_origin(self, cors: Cors, event: Request | BadRequest, status: int, fields: FieldList) -> FieldList:
        fields += cors.fields(event.fields)
        if isinstance(event, Request):
            fields += cors.preflight(event)
        return fields if cors.variant is None else add_vary(fields, b"Origin")
