//! What the program always does, what the configuration makes it do, how long what is kept, and the risks that follow.

use super::Named;
use crate::config::{Amqp, Config, DatabaseTls, FeedConfig, KeyStorePlace, Postgres, Store, Via};

/// How long what is kept.
pub(super) fn retention(config: Option<&Config>) -> Vec<Named> {
    let Some(rules) = config.map(|config| &config.retention).filter(|rules| rules.every.is_some()) else {
        return vec![Named::new("Alla slag", "Gallringstider är inte konfigurerade.")];
    };
    let days = |name, days: u32, from| Named::new(name, format!("{days} dagar {from}"));
    vec![
        days("Handlingar i flöden", rules.feed, "från framställningen"),
        days("Rapporter", rules.journal, "från ankomsten"),
        days("Väntande rapporter", rules.held, "från ankomsten"),
        days("Avvisade meddelanden", rules.dead_letters, "från ankomsten"),
        days("Meddelanden som inte går att läsa", rules.unreadable, "från ankomsten"),
        days("Samtycken och skyddsmarkeringar", rules.consents, "från samtyckets sista dag"),
        days("Mottagarnas kvittenser", rules.receipts, "från ankomsten, och inte före handlingen"),
        Named::new("Granskningsloggen", format!("{} dagar, enligt {}. Kedjans länkar bevaras.", rules.audit, rules.audit_rule)),
    ]
}

/// The technical measures: first those that no configuration can turn off.
pub(super) fn measures(config: Option<&Config>) -> Vec<Named> {
    let mut measures = vec![
        Named::new(
            "Uppgiftsminimering",
            "Till varje mottagare byggs en ny handling av de kategorier som överenskommelsen tillåter. Det som inte nämns där lämnas aldrig ut. Ingen inställning kan försvaga prövningen.",
        ),
        Named::new(
            "Kryptering av innehåll",
            "Innehåll lagras krypterat (AES-256-GCM) med en nyckel för varje deltagare och slag av uppgifter. Nycklarna är i sin tur krypterade med en omslagsnyckel som kan bytas.",
        ),
        Named::new(
            "Pseudonymisering",
            "Deltagare återfinns bara genom nyckelberoende kontrollsummor (HMAC). Personnummer står inte i databasens index, loggar, adresser eller mätvärden.",
        ),
        Named::new(
            "Prövning när uppgifter visas",
            "Samtycke och skydd prövas på nytt varje gång en uppgift lämnas ut. Det som har återkallats visas inte, och det som redan har visats följs av en uppmaning om borttagning.",
        ),
        Named::new(
            "Skyddade personuppgifter",
            "Rapporter om personer med skyddade personuppgifter skiljs ut vid ankomsten. Utifrån går det inte att se vilka de är.",
        ),
        Named::new(
            "Spårbarhet",
            "Varje beslut, utlämnande och visad sida, och varje handling av en användare, skrivs i en kedjad revisionslogg. En ändring i efterhand upptäcks fram till den senaste kontrollpunkt som förvaras på annat håll.",
        ),
        Named::new(
            "Återläsning",
            "En äldre säkerhetskopia som läses tillbaka upptäcks och används inte förrän återkallelser och skyddsmarkeringar åter gäller.",
        ),
    ];
    if let Some(config) = config {
        measures.extend(configured(config));
    }
    measures
}

/// What the configuration says.
fn configured(config: &Config) -> Vec<Named> {
    let mut measures =
        vec![Named::new("Innehållets lagring", store(&config.store)), Named::new("Nycklarnas lagring", keys(config))];
    if let Some(amqp) = &config.amqp {
        measures.push(Named::new("Meddelanden in", broker(amqp)));
    }
    if config.spool.is_some() {
        measures.push(Named::new(
            "Meddelanden in genom mappar",
            "Avsändare känns igen på mappen: filsystemets rättigheter måste hindra andra från att skriva i den.",
        ));
    }
    if let Some(feed) = &config.feed {
        measures.push(Named::new("Utlämnande till Arbetsförmedlingen", readers(feed)));
    }
    for relay in &config.relays {
        let words = match &relay.via {
            Via::Amqp => "Genom meddelandeköer, med samma skydd som meddelanden in.".to_owned(),
            Via::Spool => "Som filer i en mapp: filsystemets rättigheter skyddar dem.".to_owned(),
            Via::Https(_) => {
                "Över HTTPS där båda sidor visar certifikat; bara angivna utfärdare godtas, och omdirigering följs inte."
                    .to_owned()
            }
        };
        measures.push(Named::new(format!("Till systemet {}", relay.recipient), words));
    }
    measures.push(Named::new(
        "Mätvärden och hälsa",
        format!("Visas utan personuppgifter på {} utan kryptering: nätet ska vara driftens eget.", config.management.listen),
    ));
    if !config.contracts.illustrations.is_empty() {
        measures.push(Named::new(
            "Illustrationer i bruk",
            format!(
                "Konfigurationen använder överenskommelser som ingen har undertecknat: {}.",
                config.contracts.illustrations.join(", ")
            ),
        ));
    }
    measures
}

fn store(store: &Store) -> String {
    match store {
        Store::Embedded { .. } => "I en datamapp på den egna maskinen (SQLite); ingen förbindelse lämnar den.".to_owned(),
        Store::Postgres(postgres) => format!("I PostgreSQL, {}", link(postgres)),
    }
}

fn link(postgres: &Postgres) -> &'static str {
    match &postgres.tls {
        DatabaseTls::Off => "på den egna maskinen, utan kryptering på vägen.",
        DatabaseTls::VerifyFull { .. } => "över TLS; serverns certifikat och namn prövas mot angivna utfärdare.",
    }
}

fn keys(config: &Config) -> String {
    match (&config.store, config.keys.as_ref().map(|keys| &keys.store)) {
        (Store::Embedded { .. }, _) | (_, None) => {
            "I en egen databas i datamappen, med omslagsnyckeln i en fil bredvid: säkerhetskopieras skilt från innehållet."
                .to_owned()
        }
        (Store::Postgres(_), Some(KeyStorePlace::Embedded { .. })) => {
            "I en egen databasfil på den egna maskinen, skild från innehållet.".to_owned()
        }
        (Store::Postgres(content), Some(KeyStorePlace::Postgres(keys))) => {
            let is_same = (&content.host, content.port, &content.socket, &content.database)
                == (&keys.host, keys.port, &keys.socket, &keys.database);
            if is_same {
                "BRIST: i samma databas som innehållet. En säkerhetskopia av den ena är också en av den andra.".to_owned()
            } else {
                format!("I en egen databas i PostgreSQL, skild från innehållet, {}", link(keys))
            }
        }
    }
}

fn broker(amqp: &Amqp) -> String {
    let way = match (amqp.broker.tls, &amqp.client_certificate) {
        (false, _) => "BRIST om servern inte står på den egna maskinen: förbindelsen till RabbitMQ är inte krypterad.",
        (true, None) => "Över TLS; serverns certifikat prövas mot angivna utfärdare.",
        (true, Some(_)) => "Över TLS där båda sidor visar certifikat; serverns prövas mot angivna utfärdare.",
    };
    format!("{way} Avsändaren är den som RabbitMQ har känt igen, och får bara skicka för sin egen kommun och sitt eget system.")
}

fn readers(feed: &FeedConfig) -> String {
    let lists = if feed.tls.crl.is_empty() {
        "BRIST: spärrlistor används inte, så ett spärrat certifikat godtas tills det går ut."
    } else {
        "Spärrlistor används."
    };
    format!("Över HTTPS där båda sidor visar certifikat (TLS 1.2 eller 1.3). Mottagaren känns igen på sitt certifikat. {lists}")
}

/// The risks that the way has by its nature.
pub(super) fn risks() -> Vec<Named> {
    vec![
        Named::new(
            "Fler uppgifter lämnas ut än vad som är tillåtet",
            "Handlingen byggs av tillåtna kategorier ensamma; okända fält avvisas.",
        ),
        Named::new(
            "Uppgifter lämnas ut trots att samtycke saknas eller har återkallats",
            "Prövas vid ankomst och åter när uppgiften visas. Att mottagaren raderar det som redan har visats kan programmet inte framtvinga.",
        ),
        Named::new(
            "En skyddad identitet röjs",
            "Skiljs ut före varje annan prövning; svar utåt är lika i innehåll och tid för alla.",
        ),
        Named::new(
            "Uppgift om hälsa röjs genom frånvaroorsak eller fritext",
            "Kategorierna är märkta i kontrakten och lämnas bara ut där överenskommelsen och samtycket nämner dem.",
        ),
        Named::new(
            "Felaktiga uppgifter får följder för försörjning",
            "En rättelse från avsändaren når varje mottagare av det som rättas.",
        ),
        Named::new(
            "En användare söker utan skäl",
            "Handlingar av användare skrivs i revisionsloggen; innehåll visas maskerat.",
        ),
        Named::new(
            "En säkerhetskopia hamnar i orätta händer",
            "Innehållet är krypterat, och nycklarna ligger i en annan databas med egen säkerhetskopia.",
        ),
        Named::new(
            "Ett system utger sig för att vara ett annat",
            "Avsändare och mottagare känns igen på inloggning eller certifikat, aldrig på vad de säger.",
        ),
    ]
}
