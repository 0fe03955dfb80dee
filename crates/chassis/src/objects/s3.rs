//! A bucket of S3, or of a service that speaks it, over the HTTP client and the TLS that every other call goes by.

use std::{sync::Arc, time::Duration};

use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector as Tcp},
    rt::TokioExecutor,
};
use object_store::{
    ClientOptions, RetryConfig,
    aws::{AmazonS3, AmazonS3Builder},
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
        HttpResponseBody, HttpService,
    },
};

/// How long one request may take.
const WITHIN: Duration = Duration::from_secs(15);
/// After how long a request isn't tried again.
const TRIED: Duration = Duration::from_secs(30);

/// The bucket, with credentials, region and endpoint of the AWS_… variables.
pub(super) fn bucket(name: &str) -> object_store::Result<AmazonS3> {
    AmazonS3Builder::from_env()
        .with_bucket_name(name)
        .with_http_connector(Connector)
        .with_retry(RetryConfig { max_retries: 3, retry_timeout: TRIED, ..RetryConfig::default() })
        .build()
}

/// Makes the client.
#[derive(Debug)]
struct Connector;

impl HttpConnector for Connector {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .build();
        Ok(HttpClient::new(Https(Arc::new(Client::builder(TokioExecutor::new()).build(connector)))))
    }
}

/// The client.
#[derive(Debug)]
struct Https(Arc<Client<hyper_rustls::HttpsConnector<Tcp>, HttpRequestBody>>);

#[tonic::async_trait]
impl HttpService for Https {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answered = tokio::time::timeout(WITHIN, self.0.request(request)).await;
        let answer = answered
            .map_err(|late| HttpError::new(HttpErrorKind::Timeout, late))?
            .map_err(|error| HttpError::new(kind(&error), error))?;
        let (head, body) = answer.into_parts();
        let body = body.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error));
        Ok(HttpResponse::from_parts(head, HttpResponseBody::new(body)))
    }
}

/// Whether a request that failed reached the other side.
fn kind(error: &hyper_util::client::legacy::Error) -> HttpErrorKind {
    if error.is_connect() { HttpErrorKind::Connect } else { HttpErrorKind::Request }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::Method, http::Uri};

    use super::*;

    type Seen = Arc<Mutex<Vec<(Method, String, String, Bytes)>>>;

    async fn answer(
        State(seen): State<Seen>,
        method: Method,
        uri: Uri,
        headers: HeaderMap,
        body: Bytes,
    ) -> (http::StatusCode, HeaderMap, &'static str) {
        let signed = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        seen.lock().unwrap().push((method.clone(), uri.path().to_owned(), signed.unwrap_or_default(), body));
        let mut head = HeaderMap::new();
        head.insert("etag", "\"1\"".parse().unwrap());
        head.insert("last-modified", "Mon, 01 Jun 2020 08:00:00 GMT".parse().unwrap());
        match (method, uri.path().ends_with('1')) {
            (Method::GET, true) => (http::StatusCode::NOT_FOUND, head, ""),
            (Method::GET, false) => (http::StatusCode::OK, head, "sealed"),
            _ => (http::StatusCode::OK, head, ""),
        }
    }

    #[tokio::test]
    async fn a_service_that_speaks_s3_gets_signed_requests() {
        let seen = Seen::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(answer).with_state(seen.clone());
        tokio::spawn(crate::serve::serve(listener, router, tokio_util::sync::CancellationToken::new()));
        let store = AmazonS3Builder::new()
            .with_bucket_name("files")
            .with_region("cn-east-1")
            .with_endpoint(endpoint)
            .with_allow_http(true)
            .with_access_key_id("id")
            .with_secret_access_key("secret")
            .with_http_connector(Connector)
            .build()
            .unwrap();
        let under = object_store::path::Path::parse("town").unwrap();
        let objects = super::super::Objects { store: Arc::new(store), under };
        objects.put("malu/x/0", b"sealed".to_vec()).await.unwrap();
        assert_eq!(objects.get("malu/x/0").await.unwrap().unwrap().as_ref(), b"sealed");
        assert_eq!(objects.get("malu/x/1").await.unwrap(), None);
        let seen = seen.lock().unwrap();
        assert_eq!(seen.len(), 3);
        let (method, path, signed, body) = &seen[0];
        assert_eq!(
            (method, path.as_str(), body.as_ref()),
            (&Method::PUT, "/files/town/malu/x/0", &b"sealed"[..])
        );
        assert!(signed.starts_with("AWS4-HMAC-SHA256 Credential=id/"), "{signed}");
    }
}
