#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "jose/algorithm.h"
#include "jose/key.h"
#include "jose/sealed_token.h"
#include "jose/signed_token.h"
#include "jose/testing.h"

namespace tiphys::jose {
namespace {

using testing::HasSubstr;

const doc::Value kClaims = doc::Object{{"sub", "ann"}, {"exp", 1'700'000'000}};

Key public_half(const TestKey& key, bool tells_algorithm = true) {
  auto read = read_web_key(key.web_key(tells_algorithm));
  EXPECT_TRUE(read.has_value()) << read.error().message;
  return read.value_or(Key{});
}

bool verifies(std::string_view algorithm, const Key& key, const std::string& token) {
  const auto parsed = parse_signed_token(token);
  return parsed && verify(algorithm, key, parsed->covered, parsed->signature);
}

class EveryAlgorithm : public testing::TestWithParam<std::string_view> {};

TEST_P(EveryAlgorithm, KnowsItsSignaturesAndNoOthers) {
  const TestKey signer(GetParam(), "one"), other(GetParam(), "two");
  const Key key = public_half(signer);
  const std::string token = signer.sign(kClaims);
  const auto parsed = parse_signed_token(token);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->algorithm, GetParam());
  EXPECT_EQ(parsed->key_id, "one");
  EXPECT_EQ(doc::to_json(parsed->claims), doc::to_json(kClaims));
  EXPECT_TRUE(verifies(GetParam(), key, token));
  EXPECT_TRUE(verifies(GetParam(), public_half(signer, false), token)) << "a key need not tell its algorithm";
  EXPECT_FALSE(verifies(GetParam(), public_half(other), token)) << "another key";
  EXPECT_FALSE(verifies(GetParam(), Key{}, token)) << "no key";
  EXPECT_FALSE(verify(GetParam(), key, parsed->covered + "x", parsed->signature));
  EXPECT_FALSE(verify(GetParam(), key, parsed->covered, ""));
  EXPECT_FALSE(verify(GetParam(), key, parsed->covered, parsed->signature + "x"));
  EXPECT_FALSE(verify(GetParam(), key, parsed->covered, std::string(parsed->signature.size(), '\0')));
  for (const std::string_view algorithm : algorithms()) {
    if (algorithm == GetParam()) continue;
    EXPECT_FALSE(verifies(algorithm, key, token)) << algorithm;
    EXPECT_FALSE(verifies(algorithm, public_half(signer, false), token)) << algorithm;
  }
  for (const std::string_view algorithm : {"none", "", "HS256", "NONE", "rs256"}) {
    EXPECT_FALSE(verifies(algorithm, key, token)) << algorithm;
    EXPECT_FALSE(verify(algorithm, key, parsed->covered, "")) << algorithm;
  }
}

INSTANTIATE_TEST_SUITE_P(All, EveryAlgorithm, testing::ValuesIn(algorithms().begin(), algorithms().end()));

TEST(Algorithm, KnowsTheSignatureOfRfc8037) {
  const auto key = read_web_key(
      doc::Object{{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}});
  ASSERT_TRUE(key) << key.error().message;
  EXPECT_TRUE(verify("EdDSA", *key, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
                     *decode_base64url("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_"
                                       "MuM0KAg")));
}

TEST(Keys, ThatAreNone) {
  const doc::Object rsa = TestKey("RS256").web_key(), ec = TestKey("ES256").web_key();
  const auto with = [](doc::Object key, std::string_view member, const auto& value) {
    key[member] = value;
    return key;
  };
  const struct {
    const char* name;
    doc::Value key;
    const char* why;
  } rows[] = {
      {"no object", "text", "of an unknown kind"},
      {"a shared secret", doc::Object{{"kty", "oct"}, {"k", "AAAA"}}, "of an unknown kind"},
      {"RSA without modulus", doc::Object{{"kty", "RSA"}, {"e", "AQAB"}}, "without n"},
      {"RSA of few bits", with(rsa, "n", encode_base64url(std::string(128, '\xFF'))), "fewer than 2048"},
      {"RSA of very many bits", with(rsa, "n", encode_base64url(std::string(4096, '\xFF'))), "too large"},
      {"a huge exponent", with(rsa, "e", encode_base64url(std::string(9, '\xFF'))), "too large"},
      {"padding", with(rsa, "e", "AQAB=="), "without e"},
      {"another curve", with(ec, "crv", "secp256k1"), "unknown curve"},
      {"coordinates of another curve", with(ec, "crv", "P-384"), "not of its curve"},
      {"a point beside its curve", with(ec, "x", encode_base64url(std::string(32, 'x'))), "that is none"},
      {"Ed448", doc::Object{{"kty", "OKP"}, {"crv", "Ed448"}, {"x", "AAAA"}}, "unknown curve"},
      {"Ed25519 of few bytes", doc::Object{{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", "AAAA"}}, "that is none"},
  };
  for (const auto& [name, key, why] : rows) {
    SCOPED_TRACE(name);
    const auto read = read_web_key(key);
    ASSERT_FALSE(read);
    EXPECT_THAT(read.error().message, HasSubstr(why));
  }
}

TEST(Keys, OfASet) {
  const TestKey rsa("RS256", "a"), ec("ES384", "b");
  doc::Object set = web_key_set({&rsa, &ec});
  doc::Array& keys = set["keys"].as_array();
  keys.push_back(doc::Object{{"kty", "oct"}, {"k", "AAAA"}});
  doc::Object for_sealing = TestKey("RS256", "c").web_key();
  for_sealing["use"] = "enc";
  keys.push_back(for_sealing);
  const auto read = read_web_keys(set);
  ASSERT_TRUE(read);
  ASSERT_EQ(read->size(), 2u);
  EXPECT_EQ(read->at(0).id + read->at(1).id, "ab");
  EXPECT_FALSE(read_web_keys(doc::Object{}));
  EXPECT_FALSE(read_web_keys(doc::Array{}));
}

TEST(SignedToken, IsReadStrictly) {
  const std::string good = TestKey("ES256").sign(kClaims);
  ASSERT_TRUE(parse_signed_token(good));
  const std::string array = encode_base64url("[1]");
  for (const std::string& text :
       {std::string(), std::string("."), std::string("a.b.c"), std::string("..."), good + ".x", good + "=", good + "\n",
        array + "." + array + ".AAAA", good.substr(0, good.rfind('.'))}) {
    EXPECT_FALSE(parse_signed_token(text)) << text;
  }
  const auto critical = parse_signed_token(
      TestKey("ES256").sign({{"alg", "ES256"}, {"crit", doc::Array{"b64"}}, {"b64", false}}, kClaims));
  ASSERT_FALSE(critical);
  EXPECT_THAT(critical.error().message, HasSubstr("critical"));
}

TEST(SignedToken, HasTimes) {
  const doc::Value claims =
      doc::Object{{"whole", 12}, {"part", 12.9}, {"huge", 1e300}, {"negative", -1}, {"text", "12"}, {"null", nullptr}};
  const auto seconds = [&](std::string_view name) { return numeric_date(time_of(claims, name)); };
  EXPECT_EQ(seconds("whole"), 12);
  EXPECT_EQ(seconds("part"), 12);
  EXPECT_EQ(seconds("huge"), 9'000'000'000);
  for (const char* none : {"negative", "text", "null", "missing"}) EXPECT_EQ(seconds(none), 0) << none;
}

TEST(TokenSeal, OpensWhatItHasSealedAndNothingElse) {
  const TokenSeal seal("one"), other("two");
  const auto token = seal.seal(kClaims);
  ASSERT_TRUE(token) << token.error().message;
  const auto opened = seal.open(*token);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(doc::to_json(*opened), doc::to_json(kClaims));
  EXPECT_NE(*token, *seal.seal(kClaims)) << "each has a nonce of its own";
  EXPECT_FALSE(other.open(*token));
  for (std::size_t i = 0; i < token->size(); ++i) {
    std::string damaged = *token;
    damaged[i] = damaged[i] == 'A' ? 'B' : 'A';
    const auto read = seal.open(damaged);
    // The last digit of a part has bits that mean nothing.
    EXPECT_TRUE(!read || doc::to_json(*read) == doc::to_json(kClaims)) << i;
  }
  for (const char* none : {"", "....", "a.b.c.d.e", "eyJhbGciOiJub25lIn0....", "a.b.c"}) EXPECT_FALSE(seal.open(none));
  EXPECT_FALSE(seal.open(std::string(TokenSeal::kMostTokenBytes + 1, 'A')));
}

TEST(TokenSeal, DeflatesWithinBounds) {
  const TokenSeal seal("one");
  doc::Array groups(200, doc::Value("a-group-with-a-rather-long-name"));
  const auto token = seal.seal(doc::Object{{"groups", groups}});
  ASSERT_TRUE(token);
  EXPECT_LT(token->size(), 400u);
  ASSERT_TRUE(seal.open(*token));
  EXPECT_EQ(seal.open(*token)->at("groups").as_array().size(), 200u);
  const auto bomb = seal.seal(doc::Object{{"bomb", std::string(TokenSeal::kMostClaimBytes, 'a')}});
  ASSERT_TRUE(bomb);
  EXPECT_LT(bomb->size(), 1000u);
  EXPECT_FALSE(seal.open(*bomb));
}

TEST(Base64Url, IsWrittenAndReadWithoutPadding) {
  for (const std::string& bytes : {std::string(), std::string("a"), std::string("ab"), std::string("\xFB\xFF\xFE")}) {
    const std::string text = encode_base64url(bytes);
    EXPECT_EQ(text.find_first_of("+/="), std::string::npos) << text;
    EXPECT_EQ(decode_base64url(text), bytes);
  }
  EXPECT_EQ(encode_base64url("\xFB\xFF\xFE"), "-__-");
  for (const char* wrong : {"a", "ab==", "a+b/", "ab\n", "a b", "abcde"})
    EXPECT_FALSE(decode_base64url(wrong)) << wrong;
}

}  // namespace
}  // namespace tiphys::jose
