"""What would happen if: changed copies of rules, curves of one parameter, drift, drafts, pages."""
