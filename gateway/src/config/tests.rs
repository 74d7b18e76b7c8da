use certgate_policy::AllowedKey;

use super::*;

fn load(text: &str) -> Result<Config, ConfigError> {
    let embedded = Source { name: EMBEDDED_NAME.to_owned(), text: EMBEDDED.to_owned(), is_embedded: true };
    let source = Source { name: "c.toml".into(), text: text.into(), is_embedded: false };
    Config::build(&source, &embedded, &Overrides::default())
}

fn error(text: &str) -> String {
    load(text).expect_err(text).to_string()
}

#[test]
fn the_embedded_file_says_what_is_the_default() {
    let embedded = Config::load(None, &Overrides::default()).unwrap();
    let minimal = load(
        "[[profile]]\nname = \"default\"\nauthority = \"default\"\n\
         [[endpoint]]\nprotocol = \"est\"\nname = \"default\"\nprofile = \"default\"\n\
         [[endpoint]]\nprotocol = \"scep\"\nname = \"default\"\nprofile = \"default\"\n\
         [[endpoint]]\nprotocol = \"acme\"\nname = \"default\"\nprofile = \"default\"\n\
         [[authority]]\nname = \"root\"\nsubject = \"CN=certgate Root CA\"\n\
         [[authority]]\nname = \"default\"\nissuer = \"root\"\nsubject = \"CN=certgate Issuing CA\"\nvalidity = \"1825d\"\n",
    )
    .unwrap();
    let endpoint = |one: &EndpointConfig| {
        let of_est = (one.auth().to_vec(), one.channel_binding(), one.retry_after(), one.reading(), one.base64_line_length());
        format!("{:?}{:?}{of_est:?}{:?}", (one.protocol, &one.name), one.ra_key(), one.content_encryption())
    };
    let unspanned = |config: &Config| {
        let text = format!("{:?}", (&config.profiles, &config.authorities, &config.tls, &config.limits, &config.validation));
        let text = text + &format!("{:?}{:?}{:?}", config.store, config.log, config.policy);
        let text = config.endpoints.iter().map(endpoint).fold(text, |text, endpoint| text + &endpoint);
        // Places in the text are not compared.
        text.split("span: ").map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')).collect::<String>()
    };
    assert_eq!(unspanned(&embedded), unspanned(&minimal));
}

#[test]
fn answers_of_scep_are_encrypted_as_configured() {
    use certgate_pki::ContentCipher::{Aes128Cbc, Aes256Cbc};
    for (text, answers) in
        [("request", [Aes128Cbc, Aes256Cbc]), ("aes128", [Aes128Cbc, Aes128Cbc]), ("aes256", [Aes256Cbc, Aes256Cbc])]
    {
        let endpoint = "[[endpoint]]\nprotocol = \"scep\"\nname = \"default\"\nprofile = \"default\"\n";
        let config = load(&format!("{endpoint}content_encryption = \"{text}\"\n")).unwrap();
        let configured = config.endpoints[0].content_encryption();
        assert_eq!([Aes128Cbc, Aes256Cbc].map(|asked| configured.cipher(asked)), answers, "{text}");
    }
}

#[test]
fn what_is_wrong_is_said_with_its_line_and_what_would_be_right() {
    let profile = "[[profile]]\nname = \"default\"\nauthority = \"default\"\n";
    let endpoint = "[[endpoint]]\nprotocol = \"est\"\nname = \"default\"\nprofile = \"default\"\n";
    let scep = "[[endpoint]]\nprotocol = \"scep\"\nname = \"default\"\nprofile = \"default\"\n";
    let acme = "[[endpoint]]\nprotocol = \"acme\"\nname = \"default\"\nprofile = \"default\"\n";
    let authority = "[[authority]]\nname = \"a\"\nsubject = \"CN=a\"\n";
    let listener = "[[listener]]\nbind = \"127.0.0.1:1\"\ntls = true\nserves = [\"est\"]\n";
    for (text, expected) in [
        ("[limits]\nconections = 3\n", "c.toml:2: unknown key \"conections\": did you mean \"connections\"?"),
        ("[limit]\n", "c.toml:1: unknown key \"limit\": did you mean \"limits\"?"),
        ("[log]\nlevel = \"inf\"\n", "c.toml:2: unknown value \"inf\": did you mean \"info\"?"),
        ("[limits]\nbody = \"20\"\n", "c.toml:2: \"20\" is not a duration"),
        (
            "[store]\nqueue = \"many\"\n",
            "c.toml:2: queue is a whole number from 1024 to 1000000; here it is the string \"many\"",
        ),
        ("\n[limits]\nconnections = 0\n", "c.toml:3: connections is 1 at least, not 0"),
        ("[tls]\nsource = \"files\"\n", "c.toml:1: source = \"files\" needs both cert and key"),
        ("[tls]\nsource = \"files\"\ncert = \"a\"\n", "c.toml:1: source = \"files\" needs both cert and key: key is missing"),
        ("[tls]\nsource = \"files\"\nkey = \"a\"\n", "c.toml:1: source = \"files\" needs both cert and key: cert is missing"),
        (
            "[tls]\ncert = \"a\"\nkey = \"b\"\n",
            "c.toml:1: cert and key are read with source = \"files\" or \"env\" only: set it",
        ),
        ("[tls]\nca = \"a\"\n", "c.toml:1: ca and required_sans are for source = \"files\" and \"env\""),
        ("[tls]\nrequired_sans = []\n", "c.toml:1: ca and required_sans are for source = \"files\" and \"env\""),
        ("[tls]\nsource = \"files\"\ncert = \"a\"\nkey = \"env:B\"\n", "c.toml:1: key is a variable, which is read with"),
        ("[tls]\nsource = \"env\"\ncert = \"a\"\n", "c.toml:1: cert is a file, which is read with source = \"files\""),
        ("[tls]\nsource = \"env\"\nkey = \"env:\"\n", "c.toml:1: key is a path, or env:NAME with the name of a variable"),
        ("[tls]\nsource = \"vault\"\n", "c.toml:2: unknown value \"vault\" (known here: auto, files, env)"),
        ("[tls]\nrequired_sans = [\"a_b\"]\n", "c.toml:2: \"a_b\" is neither a host name nor an address"),
        ("[tls]\nrequired_sans = \"a\"\n", "c.toml:2: required_sans is a list like [\"pki.example.com\"]"),
        ("[tls]\nrequire_sans = [\"a\"]\n", "c.toml:2: unknown key \"require_sans\": did you mean \"required_sans\"?"),
        ("[tls]\nadditional_sans = [\"a_b\"]\n", "c.toml:2: \"a_b\" is neither a host name nor an address"),
        (
            "[[listener]]\nbind = \"127.0.0.1\"\nserves = [\"est\"]\n",
            "c.toml:2: bind is no address and port: text in quotes, like",
        ),
        ("[[listener]]\nbind = \"127.0.0.1:1\"\nserves = [\"est\"]\n", "c.toml:1: EST is served over TLS only"),
        ("[[listener]]\nbind = \"0.0.0.0:1\"\nserves = [\"ca\"]\n", "c.toml:1: 0.0.0.0:1 is not a loopback address"),
        ("[[listener]]\nbind = \"127.0.0.1:1\"\nserves = []\n", "c.toml:1: the listener serves nothing"),
        (&format!("{profile}key_types = [\"p255\"]\n"), "c.toml:4: \"p255\" is not a kind of key"),
        (&format!("{profile}ekus = [\"cmcRA\"]\n"), "c.toml:4: \"cmcRA\" is never issued by a profile"),
        (&format!("{profile}subject = {{ copy = [\"CN\"] }}\n"), "c.toml:4: CN is not copied"),
        (&format!("{profile}{profile}"), "c.toml:4: profile \"default\" is there twice"),
        ("[[profile]]\nname = \"p\"\nauthority = \"defualt\"\n", "c.toml:3: there is no authority \"defualt\""),
        ("[[endpoint]]\nprotocol = \"est\"\nname = \"cacerts\"\nprofile = \"default\"\n", "c.toml:1: \"cacerts\" cannot be"),
        (&format!("{scep}auth = [\"basic\"]\n"), "c.toml:5: auth says nothing at an endpoint of scep"),
        (&format!("{endpoint}ra_key = \"rsa2048\"\n"), "c.toml:5: ra_key says nothing at an endpoint of est"),
        (&format!("{scep}ra_key = \"p256\"\n"), "c.toml:5: ra_key is rsa2048, rsa3072 or rsa4096"),
        (&format!("{scep}{scep}"), "c.toml:5: endpoint \"default\" is there twice"),
        (&acme.replace("name = \"default\"", "name = \"a.b\""), "c.toml:1: \"a.b\" cannot be the name of an ACME endpoint"),
        (&format!("{acme}public_url = \"http://a.example\"\n"), "c.toml:5: public_url of an ACME endpoint begins with https"),
        (&format!("{acme}retry_after = \"5s\"\n"), "c.toml:5: retry_after says nothing at an endpoint of acme"),
        (&format!("{scep}public_url = \"https://a.example\"\n"), "c.toml:5: public_url says nothing at an endpoint of scep"),
        ("[[listener]]\nbind = \"127.0.0.1:1\"\nserves = [\"acme\"]\n", "c.toml:1: ACME is served over TLS only"),
        ("[limits]\nrsa_queue = 0\n", "c.toml:2: rsa_queue is 1 at least, not 0"),
        ("[[endpoint]]\nprotocol = \"est\"\nname = \"a\"\nprofile = \"x\"\n", "c.toml:4: there is no profile \"x\""),
        ("[[authority]]\nname = \"a\"\nsubject = \"CN\"\n", "c.toml:3: \"CN\" is not TYPE=value"),
        ("[[authority]]\nname = \"a\"\nsubject = \"CN=a\"\nissuer = \"a\"\n", "c.toml:4: the issuers of this authority form"),
        (
            "[[authority]]\nname = \"a\"\nsubject = \"CN=a\"\nexternal = true\nissuer = \"b\"\n",
            "c.toml:5: external = true has a CA outside of this gateway sign the authority's certificate, and issuer one in it",
        ),
        (
            "[[authority]]\nname = \"a\"\nsubject = \"CN=a\"\nexternal = true\n\n[[authority]]\nname = \"b\"\nsubject = \"CN=b\"\n\
             issuer = \"a\"\n",
            "c.toml:9: authority \"a\" is signed outside and signs no other authority",
        ),
        ("[[authority]]\nname = \"../a\"\nsubject = \"CN=a\"\n", "c.toml:1: \"../a\" cannot be the name of an authority"),
        (
            &format!("{authority}passphrase = \"hunter2\"\n"),
            "c.toml:4: a secret is not written here: say where it is, by \"env:NAME\", \"file:PATH\" or \"prompt\"",
        ),
        (&format!("{authority}passphrase = \"env:\"\n"), "c.toml:4: a secret is not written here"),
        (&format!("{authority}passphrase = 7\n"), "c.toml:4: passphrase is text in quotes, like"),
        (&format!("{authority}key = \"p-256\"\n"), "c.toml:4: \"p-256\" is not a kind of key (known here: p256, p384"),
        (&format!("{authority}signer = \"awslc\"\n"), "c.toml:4: unknown value \"awslc\": did you mean \"aws-lc\"?"),
        (&format!("{authority}signer = \"openssl\"\n"), "c.toml:4: unknown value \"openssl\" (known here: aws-lc, rustcrypto)"),
        (&format!("{authority}pasphrase = \"prompt\"\n"), "c.toml:4: unknown key \"pasphrase\": did you mean \"passphrase\"?"),
        (&format!("{profile}approval = \"manuel\"\n"), "c.toml:4: unknown value \"manuel\": did you mean \"manual\"?"),
        (&format!("{profile}rekey = \"requires\"\n"), "c.toml:4: unknown value \"requires\": did you mean \"require\"?"),
        (
            &format!("{profile}change_subject_name = \"allow\"\n"),
            "c.toml:4: unknown value \"allow\" (known here: refuse, honour)",
        ),
        (&format!("{profile}renew_grace = \"0d\"\n"), "c.toml:4: \"0d\" is not a duration"),
        (&format!("{endpoint}auth = [\"mTLS\"]\n"), "c.toml:5: unknown value \"mTLS\": did you mean \"mtls\"?"),
        (&format!("{endpoint}auth = []\n"), "c.toml:5: auth is empty"),
        (&format!("{endpoint}channel_binding = \"off\"\n"), "c.toml:5: unknown value \"off\" (known here: optional, required)"),
        (
            &format!("{endpoint}retry_after = 60\n"),
            "c.toml:5: retry_after is text in quotes, like \"90d\", \"12h\", \"5m\", \"30s\", \"250ms\"; here it is the integer 60",
        ),
        (
            &format!("{profile}ekus = [\"serverAuth\"]\n{endpoint}auth = [\"mtls\"]\n"),
            "c.toml:9: auth is [\"mtls\"] alone, and the profile issues nothing that a client could show",
        ),
        (
            &format!("{listener}client_cert = \"off\"\n{endpoint}auth = [\"mtls\"]\n"),
            "c.toml:10: auth is [\"mtls\"] alone, and no listener that serves est asks for a certificate",
        ),
        (
            &format!("{listener}client_cert = \"required\"\n"),
            "c.toml:5: unknown value \"required\" (known here: off, optional)",
        ),
        ("[policy]\ncompromised = \"x\"\n", "c.toml:2: unknown key \"compromised\": did you mean \"compromised_keys\"?"),
        ("[limits]\nbodies_bytes = 1000\n", "c.toml:2: bodies_bytes is for all bodies together"),
        ("[limits]\npassword_threads = 0\n", "c.toml:2: password_threads is from 1 to 64, not 0"),
        ("[limits]\nvalidations = 0\n", "c.toml:2: validations is from 1 to 1024, not 0"),
        ("[limits]\nvalidation_queue = 0\n", "c.toml:2: validation_queue is 1 at least, not 0"),
        ("[validation]\nhttp01_port = 0\n", "c.toml:2: http01_port is from 1 to 65535"),
        ("[validation]\ntlsalpn01_port = 443\n", "c.toml:2: unknown key \"tlsalpn01_port\""),
        ("[validation]\nresolver = \"dns.example\"\n", "c.toml:2: resolver is no address and port: text in quotes, like"),
        ("[validation]\nresolver = \"192.0.2.1:0\"\n", "c.toml:2: the port of resolver is above 0"),
        ("[validation]\nallow_networks = [\"10.0.0.0/33\"]\n", "c.toml:2: \"10.0.0.0/33\" is not a network like"),
        (
            "[validation]\ndeny_networks = [\"10.1.0.0/8\"]\n",
            "c.toml:2: \"10.1.0.0/8\" has bits beyond its prefix: 10.0.0.0/8?",
        ),
        ("[validation]\ndeny_networks = [\"::ffff:10.0.0.0/104\"]\n", "c.toml:2: \"::ffff:10.0.0.0/104\" is written as IPv4"),
        ("[store]\nqueue = 1023\n", "c.toml:2: queue is from 1024 to 1000000"),
        ("[[authority]]\nname = \"x\"\nsubject = \"CN=x\"\n", "the embedded configuration:"),
        ("a = \n", "c.toml:1: a value is missing"),
        ("[log]\nlevel = \"info\"\nlevel = \"warn\"\n", "c.toml:3: level is there twice"),
        ("[listener]\n", "c.toml:1: listener is a list of tables: each begins with [[listener]]"),
        ("[[log]]\n", "c.toml:1: log is one table: it begins with [log]"),
        ("[[listener]]\nserves = [\"ca\"]\n", "c.toml:1: [[listener]] has no bind, and needs it: text in quotes, like \"127"),
        (
            "[[authority]]\nname = \"a\"\nsubject = \"CN=a\"\n[authority.crl]\nshards = -1\n",
            "c.toml:5: shards is a whole number from 0",
        ),
        (
            "[[listener]]\nbind = \"127.0.0.1:1\"\nserves = \"ca\"\n",
            "c.toml:3: serves is a list like [\"est\"]; here it is the string \"ca\"",
        ),
    ] {
        let said = error(text);
        assert!(said.starts_with(expected), "{text}\n{said}\n{expected}");
    }
}

#[test]
fn a_refused_secret_is_not_repeated() {
    let said = error("[[authority]]\nname = \"a\"\nsubject = \"CN=a\"\npassphrase = \"hunter2\"\n");
    assert!(!said.contains("hunter2"), "{said}");
}

#[test]
fn each_authority_has_its_own_key_passphrase_and_signer() {
    let authorities = "[[authority]]\nname = \"default\"\nsubject = \"CN=a\"\nkey = \"rsa3072\"\npassphrase = \"env:A\"\n\
         [[authority]]\nname = \"b\"\nsubject = \"CN=b\"\nkey = \"p521\"\nsigner = \"rustcrypto\"\n";
    let config = load(authorities).unwrap();
    let told: Vec<_> = config.authorities.iter().map(|one| (one.key.0, one.passphrase.clone(), one.signer)).collect();
    let passphrase = Some(SecretSource::Env("A".into()));
    assert_eq!(told, [(AllowedKey::Rsa3072, passphrase, Signer::AwsLc), (AllowedKey::P521, None, Signer::RustCrypto)]);
}

#[test]
fn addresses_of_the_command_line_replace_their_kind() {
    let overrides = Overrides { https: vec!["127.0.0.1:0".parse().unwrap()], ..Overrides::default() };
    let config = Config::load(None, &overrides).unwrap();
    let of_kind = |kind| config.listeners.iter().filter(move |listener| listener.kind() == kind).collect::<Vec<_>>();
    assert_eq!(of_kind(ListenerKind::Https).len(), 1);
    assert!(of_kind(ListenerKind::Https)[0].named_by_operator);
    assert_eq!(of_kind(ListenerKind::Http).len() + of_kind(ListenerKind::Ops).len(), 2);

    let open = Overrides { http: vec!["0.0.0.0:80".parse().unwrap()], ..Overrides::default() };
    assert!(Config::load(None, &open).is_err(), "not without a public URL");
    let open = Overrides { public_url: Some("http://pki.example.com".parse().unwrap()), ..open };
    assert!(Config::load(None, &open).is_ok());
}

#[test]
fn places_of_the_server_certificate_are_files_or_variables() {
    let places = |text: &str| load(text).unwrap().tls.places().map(|(cert, key)| (cert.to_string(), key.to_string()));
    let variable = |name: &str| format!("the environment variable {name}");
    for (text, expected) in [
        ("", None),
        ("[tls]\nsource = \"files\"\ncert = \"/a\"\nkey = \"file:/b\"\n", Some(("/a".to_owned(), "/b".to_owned()))),
        ("[tls]\nsource = \"env\"\n", Some((variable("CERTGATE_TLS_CERT"), variable("CERTGATE_TLS_KEY")))),
        ("[tls]\nsource = \"env\"\nkey = \"env:K\"\n", Some((variable("CERTGATE_TLS_CERT"), variable("K")))),
    ] {
        assert_eq!(places(text), expected, "{text}");
    }
}
