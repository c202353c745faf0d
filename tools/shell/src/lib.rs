//! The shell language of exec and sh: parsed by a bash grammar, run over streams.
