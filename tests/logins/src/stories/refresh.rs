//! To come.
pub(super) fn stories() -> Vec<super::Story> {
    Vec::new()
}
