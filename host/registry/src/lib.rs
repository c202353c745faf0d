//! Where skills come from and go to.
