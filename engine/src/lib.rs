//! Rules meet memory: submit a command, replay a history, publish a definition.
