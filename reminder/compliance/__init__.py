"""Compliance: reminders, their outcomes and the reports over them, as functions of journal entries alone."""
