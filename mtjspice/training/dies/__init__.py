"""Binary networks on crossbars with defects: one die, or any die."""
