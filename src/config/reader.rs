//! Reading single values out of the layers while collecting what is wrong with them.

use std::cell::RefCell;

use super::{Fault, Given, Layers};

/// Reads values and keeps the faults, so that a check goes on to the end.
pub struct Reader<'a> {
    layers: &'a Layers,
    faults: RefCell<Vec<Fault>>,
    #[cfg(test)]
    asked: RefCell<std::collections::BTreeSet<&'static str>>,
}

impl<'a> Reader<'a> {
    /// A reader of these layers.
    pub fn new(layers: &'a Layers) -> Self {
        Self {
            layers,
            faults: RefCell::default(),
            #[cfg(test)]
            asked: RefCell::default(),
        }
    }

    /// What was given, or the default.
    pub fn given(&self, key: &'static str) -> Option<Given> {
        #[cfg(test)]
        self.asked.borrow_mut().insert(key);
        self.layers.value(key)
    }

    /// The value, converted; `None` if nothing is given or what is given does not convert, which is then a fault.
    pub fn read<T>(&self, key: &'static str, convert: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let given = self.given(key)?;
        match convert(&given.text) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.fault(key, &given, problem);
                None
            }
        }
    }

    /// Something is wrong with what was given.
    pub fn fault(&self, key: &'static str, given: &Given, problem: impl Into<String>) {
        let fault = Fault::new(key, &given.origin, problem);
        self.faults.borrow_mut().push(fault);
    }

    /// What is wrong so far.
    pub fn into_faults(self) -> Vec<Fault> {
        self.faults.into_inner()
    }

    #[cfg(test)]
    pub fn asked(&self) -> Vec<&'static str> {
        self.asked.borrow().iter().copied().collect()
    }
}
