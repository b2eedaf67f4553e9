//! The server's secret: 32 bytes from which the keys of links and CSRF tokens are made.
//!
//! It is hashed from text, so that a setting, a mounted secret and the file made at the first start are the same thing.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use fairy_jobs::{id::IdSource, link::LinkKey};
use sha2::{Digest as _, Sha256};

use super::data_dir;
use crate::config::SecretSource;

/// The key, from the settings or from its file, which is made if it is missing.
///
/// # Errors
/// When the file cannot be read or made, or does not hold what was written into it.
pub fn link_key(source: &SecretSource, ids: &dyn IdSource) -> io::Result<LinkKey> {
    let text = match source {
        SecretSource::Text(text) => text.clone(),
        SecretSource::File(path) => match std::fs::read_to_string(path) {
            Ok(text) => text.trim().to_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => create(path, ids)?,
            Err(error) => return Err(error),
        },
    };
    if text.len() < 32 {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it holds less than 32 characters"));
    }
    Ok(LinkKey::new(Sha256::digest(text.as_bytes()).into()))
}

/// Written beside and renamed, so that a crash leaves a whole secret or none.
fn create(path: &Path, ids: &dyn IdSource) -> io::Result<String> {
    let mut bytes = [0; 32];
    ids.fill(&mut bytes);
    let text = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let fresh = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)?;
    data_dir::sync(path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new(".")))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use fairy_jobs::link::Purpose;

    use super::*;
    use crate::process::ids::OsIds;

    #[test]
    fn a_secret_is_made_once_and_read_by_nobody_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret.key");
        let source = SecretSource::File(path.clone());
        let code = |key: LinkKey| key.code(Purpose::Csrf, [1; 16]);
        let first = code(link_key(&source, &OsIds::default()).unwrap());
        assert_eq!(code(link_key(&source, &OsIds::default()).unwrap()), first);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(&path).unwrap();
        let given = SecretSource::Text(text.trim().to_owned());
        assert_eq!(code(link_key(&given, &OsIds::default()).unwrap()), first);
        std::fs::write(&path, "").unwrap();
        assert!(link_key(&source, &OsIds::default()).is_err());
    }
}
