//! Runs programs of the machine that the owner allowed, by argv, behind Landlock, seccomp and namespaces.
