//! Files, part by part: in a folder, or in a service that speaks S3. What is put there is sealed before ([`crate::vault`]); a
//! key is the caller's affair and no client ever sees one.

mod s3;

use std::{error::Error, fmt, path::Path as Folder, sync::Arc};

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, local::LocalFileSystem, path::Path};

use crate::refusal::{Refusal, UNAVAILABLE};

/// Bytes of an object at most: a part with what sealing adds.
pub const LARGEST: u64 = 2 * 1024 * 1024;

/// A store that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectsError {
    /// Neither `file:///…` nor `s3://…`.
    #[error("is neither file:///a/directory nor s3://bucket/prefix")]
    Form,
    /// A folder that can't be made or entered.
    #[error("the folder can't be used: {0}")]
    Folder(String),
    /// What the AWS_… variables lack.
    #[error("S3: {0}")]
    S3(String),
}

/// Where objects lie. Cheap to clone.
#[derive(Clone)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    under: Path,
}

impl fmt::Debug for Objects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Objects(…)")
    }
}

impl Objects {
    /// The store of `url`: `file:///a/directory` or `s3://bucket/prefix`, the latter with the AWS_… variables of the process.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn open(url: &str) -> Result<Objects, ObjectsError> {
        match url.split_once("://") {
            Some(("file", folder)) if folder.starts_with('/') => Objects::local(folder),
            Some(("s3", rest)) => {
                let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
                let under = Path::parse(prefix).map_err(|_| ObjectsError::Form)?;
                if bucket.is_empty() {
                    return Err(ObjectsError::Form);
                }
                let store = s3::bucket(bucket).map_err(|error| ObjectsError::S3(root(&error)))?;
                Ok(Objects { store: Arc::new(store), under })
            }
            Some(_) | None => Err(ObjectsError::Form),
        }
    }

    /// A folder, made when it isn't there, for its owner alone. A file is on the disk when it is put.
    ///
    /// # Errors
    /// When it can't be made or entered.
    pub fn local(folder: impl AsRef<Folder>) -> Result<Objects, ObjectsError> {
        use std::os::unix::fs::DirBuilderExt;
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|error| ObjectsError::Folder(error.to_string()))?;
        let store = LocalFileSystem::new_with_prefix(folder);
        let store = store.map_err(|error| ObjectsError::Folder(root(&error)))?;
        Ok(Objects { store: Arc::new(store.with_fsync(true)), under: Path::default() })
    }

    /// Keeps an object, over what lay there before.
    ///
    /// # Errors
    /// UNAVAILABLE when the store fails.
    pub async fn put(&self, key: &str, content: impl Into<Bytes>) -> Result<(), Refusal> {
        let payload = PutPayload::from_bytes(content.into());
        self.store.put(&self.at(key)?, payload).await.map_err(failed)?;
        Ok(())
    }

    /// An object, when it is there.
    ///
    /// # Errors
    /// UNAVAILABLE when the store fails; INTERNAL for one that is larger than any of ours.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, Refusal> {
        let found = match self.store.get(&self.at(key)?).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        if found.meta.size > LARGEST {
            return Err(Refusal::internal(format!("an object of {} bytes", found.meta.size)));
        }
        Ok(Some(found.bytes().await.map_err(failed)?))
    }

    /// Takes an object away; that it isn't there is as good.
    ///
    /// # Errors
    /// UNAVAILABLE when the store fails.
    pub async fn delete(&self, key: &str) -> Result<(), Refusal> {
        match self.store.delete(&self.at(key)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }

    /// Takes away every object below `prefix` (whole segments of a key), and says how many.
    ///
    /// # Errors
    /// UNAVAILABLE when the store fails; what was taken away before stays away.
    pub async fn clear(&self, prefix: &str) -> Result<u64, Refusal> {
        let mut found = self.store.list(Some(&self.at(prefix)?));
        let mut gone = 0;
        while let Some(meta) = found.try_next().await.map_err(failed)? {
            match self.store.delete(&meta.location).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => gone += 1,
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(gone)
    }

    /// Where a key lies: segments of small letters, digits and dashes, so that none leads elsewhere.
    fn at(&self, key: &str) -> Result<Path, Refusal> {
        let good = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        if !key.split('/').all(good) {
            return Err(Refusal::internal("a key of another form"));
        }
        let under = self.under.parts().map(|part| part.as_ref().to_owned());
        Ok(Path::from_iter(under.chain(key.split('/').map(str::to_owned))))
    }
}

/// What went wrong, without the path on which it did.
fn failed(error: object_store::Error) -> Refusal {
    Refusal::new(&UNAVAILABLE).with("peer", "object store").because(root(&error))
}

/// The innermost cause: the layers above it repeat paths.
fn root(error: &dyn Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> (tempfile::TempDir, Objects) {
        let dir = tempfile::tempdir().unwrap();
        let objects = Objects::open(&format!("file://{}", dir.path().join("a/b").display())).unwrap();
        (dir, objects)
    }

    #[tokio::test]
    async fn what_is_put_is_got_until_it_is_taken_away() {
        let (dir, objects) = kept();
        assert_eq!(objects.get("malu/x/0").await.unwrap(), None);
        objects.put("malu/x/0", vec![1, 2]).await.unwrap();
        objects.put("malu/x/0", vec![3]).await.unwrap();
        objects.put("malu/x/1", vec![4]).await.unwrap();
        objects.put("malu/xy/0", vec![5]).await.unwrap();
        assert_eq!(objects.get("malu/x/0").await.unwrap().unwrap().as_ref(), [3]);
        objects.delete("malu/x/1").await.unwrap();
        objects.delete("malu/x/1").await.unwrap();
        objects.put("malu/x/2", vec![6]).await.unwrap();
        assert_eq!(objects.clear("malu/x").await.unwrap(), 2);
        assert_eq!(objects.clear("malu/x").await.unwrap(), 0);
        assert!(objects.get("malu/x/0").await.unwrap().is_none());
        assert!(objects.get("malu/xy/0").await.unwrap().is_some());
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(dir.path().join("a/b")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }

    #[tokio::test]
    async fn a_key_leads_nowhere_else_and_an_error_tells_no_path() {
        let (dir, objects) = kept();
        for key in ["", "/", "../x", "a//b", "a/../b", "A", "a b", "a/", "a.b", "身份证"] {
            assert_eq!(objects.get(key).await.unwrap_err().reason().name, "INTERNAL", "{key}");
        }
        // a file where a folder belongs
        std::fs::write(dir.path().join("a/b/malu"), b"").unwrap();
        let refused = objects.put("malu/x/0", vec![1]).await.unwrap_err();
        assert_eq!(refused.reason().name, "UNAVAILABLE");
        let told = format!("{refused} {refused:?}");
        assert!(!told.contains("malu") && !told.contains(dir.path().to_str().unwrap()), "{told}");
        assert_eq!(format!("{objects:?}"), "Objects(…)");
    }

    #[test]
    fn a_url_is_a_folder_or_a_bucket() {
        for url in ["", "x", "/a", "file://", "file://a", "http://a", "s3://", "s3:///a", "s3://a/b//c"] {
            assert_eq!(Objects::open(url).unwrap_err(), ObjectsError::Form, "{url}");
        }
        let objects = Objects::open("s3://bucket/a/prefix").unwrap();
        assert_eq!(objects.at("malu/x/0").unwrap().as_ref(), "a/prefix/malu/x/0");
        assert_eq!(Objects::open("s3://bucket").unwrap().at("malu/x/0").unwrap().as_ref(), "malu/x/0");
    }
}
