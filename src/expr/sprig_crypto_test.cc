#include <crypt.h>
#include <gtest/gtest.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "expr/ambient.h"
#include "expr/certificate.h"
#include "expr/condition.h"
#include "expr/private_key.h"

namespace tiphys::expr {
namespace {

class SprigCrypto : public testing::Test {
 protected:
  SprigCrypto() { scope_.set_ambient(&ambient_); }

  Result<doc::Value> eval(std::string_view text) const { return eval_expression(text, scope_); }
  std::string text(std::string_view expression) const {
    auto value = eval(expression);
    if (!value) return "error: " + value.error().message.substr(0, value.error().message.find(" ("));
    return std::string(value->as_string());
  }
  /// What an expression for a certificate gives, as a variable of the next ones.
  doc::Object certificate(const std::string& name, std::string_view expression) {
    auto value = eval(expression).value();
    scope_.set_value(name, value);
    return value.as_object();
  }

  SeededRandom random_{7};
  Ambient ambient_{.now = parse_rfc3339("2026-01-02T03:04:05Z").value(), .random = &random_};
  Scope scope_;
};

std::string member(const doc::Object& object, std::string_view name) {
  return std::string(object.at(name).as_string());
}

TEST_F(SprigCrypto, HashesPasswords) {
  const std::string hash = text("sprig.htpasswd('user', 'pässword')");
  ASSERT_TRUE(hash.starts_with("user:$2a$10$")) << hash;
  const auto work = std::make_unique<crypt_data>();
  const std::string plain = hash.substr(5);
  EXPECT_EQ(crypt_r("pässword", plain.c_str(), work.get()), plain);
  EXPECT_NE(crypt_r("password", plain.c_str(), work.get()), plain);
  EXPECT_NE(text("sprig.bcrypt('a')"), text("sprig.bcrypt('a')"));
  EXPECT_EQ(text("sprig.bcrypt(repeat('a', 73))"),
            "failed to encrypt string with bcrypt: bcrypt: password length exceeds 72 bytes");
}

TEST_F(SprigCrypto, DecryptsWhatItEncrypts) {
  for (const char* plain : {"'x'", "repeat('sixteen letters.', 1)", "repeat('ab', 10000)", "'é'"}) {
    const std::string expression =
        std::string("sprig.decryptAES('key', sprig.encryptAES('key', ") + plain + ")) == " + plain;
    EXPECT_EQ(eval(expression).value(), doc::Value(true)) << plain;
  }
  EXPECT_NE(text("sprig.encryptAES('key', 'a')"), text("sprig.encryptAES('key', 'a')"));
  EXPECT_EQ(text("sprig.decryptAES('k', 'YWJj')"), "error: the text is too short to be an encrypted one");
  EXPECT_EQ(text("sprig.decryptAES('k', 'YWJjYWJjYWJjYWJjYWJjYWJjYWJjYWJjYWJjYWJj')"),
            "error: crypto/cipher: input not full blocks");
}

struct KeyRow {
  const char* kind;
  const char* heading;
  int id;
  int bits;
};
const KeyRow kKeys[] = {
    {"dsa", "-----BEGIN DSA PRIVATE KEY-----\n", EVP_PKEY_DSA, 2048},
    {"ecdsa", "-----BEGIN EC PRIVATE KEY-----\n", EVP_PKEY_EC, 256},
    {"ed25519", "-----BEGIN PRIVATE KEY-----\n", EVP_PKEY_ED25519, 256},
};

TEST_F(SprigCrypto, GeneratesKeys) {
  for (const auto& [kind, heading, id, bits] : kKeys) {
    const std::string key = text(std::string("sprig.genPrivateKey('") + kind + "')");
    EXPECT_TRUE(key.starts_with(heading)) << key;
    const auto parsed = parse_private_key(key);
    ASSERT_TRUE(parsed) << kind << ": " << parsed.error().message;
    EXPECT_EQ(EVP_PKEY_get_base_id(parsed->get()), id) << kind;
    EXPECT_EQ(EVP_PKEY_get_bits(parsed->get()), bits) << kind;
    EXPECT_EQ(private_key_text(*parsed), key);
  }
}

/// The error of OpenSSL's verification for a server of that name.
int verify(const Certificate& certificate, const Certificate& authority, const char* host) {
  using Store = Owned<X509_STORE, X509_STORE_free>;
  using Context = Owned<X509_STORE_CTX, X509_STORE_CTX_free>;
  const Store store(X509_STORE_new());
  X509_STORE_add_cert(store.get(), authority.get());
  const Context context(X509_STORE_CTX_new());
  X509_STORE_CTX_init(context.get(), store.get(), certificate.get(), nullptr);
  X509_STORE_CTX_set_default(context.get(), "ssl_server");
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, std::chrono::seconds(1767409445).count());  // 2026-01-03
  X509_VERIFY_PARAM_set1_host(parameters, host, 0);
  X509_verify_cert(context.get());
  return X509_STORE_CTX_get_error(context.get());
}

TEST_F(SprigCrypto, AnAuthoritySigns) {
  for (const char* authority_key : {"", "sprig.genPrivateKey('ecdsa')", "sprig.genPrivateKey('ed25519')"}) {
    const std::string key = authority_key;
    const std::string made = key.empty() ? "sprig.genCA('ca', 365)" : "sprig.genCAWithKey('ca', 365, " + key + ")";
    const auto authority = parse_certificate(member(certificate("ca", made), "Cert")).value();
    const auto signed_one = certificate("server", "sprig.genSignedCert('server', ['10.0.0.1'], ['a.example'], 10, ca)");
    const auto server = parse_certificate(member(signed_one, "Cert")).value();
    EXPECT_EQ(verify(server, authority, "a.example"), X509_V_OK) << made;
    EXPECT_EQ(verify(server, authority, "b.example"), X509_V_ERR_HOSTNAME_MISMATCH) << made;
    EXPECT_EQ(X509_check_ip_asc(server.get(), "10.0.0.1", 0), 1);
    EXPECT_EQ(X509_check_private_key(server.get(), parse_private_key(member(signed_one, "Key")).value().get()), 1);
    const auto stranger = parse_certificate(member(certificate("other", "sprig.genCA('ca', 365)"), "Cert")).value();
    EXPECT_NE(verify(server, stranger, "a.example"), X509_V_OK) << made;
  }
}

TEST_F(SprigCrypto, RsaKeysHaveTheirOwnForm) {
  const std::string text = private_key_text(generate_rsa_key(2048).value());
  EXPECT_TRUE(text.starts_with("-----BEGIN RSA PRIVATE KEY-----\n")) << text;
  EXPECT_EQ(private_key_text(parse_private_key(text).value()), text);
  const std::string small = private_key_text(generate_rsa_key(512).value());
  EXPECT_EQ(parse_private_key(small).error().message, "RSA keys have from 1024 to 8192 bits, this one has 512");
}

TEST_F(SprigCrypto, AServerSignsItself) {
  const auto made =
      certificate("own", "sprig.genSelfSignedCertWithKey('own', nil, ['a.example'], 10, sprig.genPrivateKey('ecdsa'))");
  const auto own = parse_certificate(member(made, "Cert")).value();
  EXPECT_EQ(verify(own, own, "a.example"), X509_V_OK);
  EXPECT_EQ(eval("sprig.buildCustomCert(sprig.b64enc(own.Cert), sprig.b64enc(own.Key)) == own").value(),
            doc::Value(true));
}

TEST_F(SprigCrypto, CertificatesSayWhatIsWrong) {
  certificate("ca", "sprig.genCAWithKey('ca', 1, sprig.genPrivateKey('ecdsa'))");
  certificate("other", "sprig.genCAWithKey('ca', 1, sprig.genPrivateKey('ecdsa'))");
  constexpr std::pair<const char*, const char*> kRows[] = {
      {"sprig.genSelfSignedCert('x', ['a'], nil, 1)", "error parsing ip: a"},
      {"sprig.genSelfSignedCert('x', [1], nil, 1)", "error parsing ip: 1 is not a string"},
      {"sprig.genSelfSignedCert('x', nil, [1], 1)", "error processing alternate dns name: 1 is not a string"},
      {"sprig.genSelfSignedCert('x', nil, ['é'], 1)",
       "error creating certificate: x509: \"é\" cannot be encoded as an IA5String"},
      {"sprig.genCAWithKey('x', 1, 'a')", "parsing private key: no PEM data in input"},
      {"sprig.genCAWithKey('x', 1, ca.Cert)",
       "parsing private key: no private key data in PEM block of type CERTIFICATE"},
      {"sprig.genSignedCert('x', nil, nil, 1, {})", "an authority has a Cert and a Key, as genCA gives them"},
      {"sprig.genSignedCert('x', nil, nil, 1, {Cert: ca.Cert, Key: other.Key})",
       "error creating certificate: x509: provided PrivateKey doesn't match parent's PublicKey"},
      {"sprig.genSelfSignedCert(repeat('x', 2000), nil, nil, 1)", "names have at most 1000 bytes"},
      {"sprig.genSelfSignedCert('x', nil, map(1..2000, 'a'), 1)", "a certificate has at most 1000 names"},
  };
  for (const auto& [expression, error] : kRows)
    EXPECT_EQ(text(expression), "error: " + std::string(error)) << expression;
}

TEST_F(SprigCrypto, AnExpressionMakesFewKeys) {
  EXPECT_EQ(eval("map(1..100, sprig.genPrivateKey('ecdsa'))").error().code, Code::kResourceExhausted);
}

}  // namespace
}  // namespace tiphys::expr
