"""Import contract: another app may import only the public modules of an app."""

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class PublicOnlyContract(Contract):
    """Breaks when a module imports, from another app, anything but its public modules."""

    root = fields.StringField()
    public = fields.ListField(subfield=fields.StringField())
    open_apps = fields.ListField(subfield=fields.StringField(), required=False)
    free_importers = fields.ListField(subfield=fields.StringField(), required=False)

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        private = sorted(
            (importer, imported)
            for importer in graph.modules
            for imported in graph.find_modules_directly_imported_by(importer)
            if self._is_private(importer.split("."), imported.split("."))
        )
        return ContractCheck(kept=not private, metadata={"private": private})

    def _is_private(self, importer: list[str], imported: list[str]) -> bool:
        if importer[0] != self.root or imported[0] != self.root:
            return False
        if len(importer) < 2 or len(imported) < 3 or importer[1] == imported[1]:
            return False
        if imported[1] in self._names("open_apps") or importer[1] in self._names("free_importers"):
            return False
        return imported[2] not in self._names("public")

    def _names(self, field: str) -> list[str]:
        # import-linter replaces each declared field by its parsed value on the instance.
        return list(getattr(self, field) or [])

    def render_broken_contract(self, check: ContractCheck) -> None:
        for importer, imported in check.metadata["private"]:
            output.print_error(f"{importer} -> {imported}: not a public module")
