//! Bad input and bad surroundings: each gets its problem or its one line, and nothing already accepted is lost.

mod bodies;
mod disk;
mod gone;
mod paging;
mod startup;
mod texts;
