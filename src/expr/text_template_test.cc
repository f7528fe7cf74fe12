#include "expr/text_template.h"

#include <gtest/gtest.h>

#include "expr/text_bounds.h"

namespace tiphys::expr {
namespace {

Scope simple_scope() {
  Scope scope;
  scope.set("foo", "bar");
  scope.set("inputs.parameters.message", "hello world");
  scope.set("inner", "suffix");
  scope.set("outer-suffix", "final");
  scope.set("quote", "it's \"so\"\n\t\\");
  scope.set("unicode", "grün 東京 🚢");
  scope.set("json", R"({"a": [1, "{{foo}}"]})");
  scope.set("empty", "");
  scope.set("my-param", "with hyphen");
  scope.set_value("steps.skipped.outputs.result", nullptr);
  scope.set_value("object", doc::Object{{"a", 1}});
  scope.set_value("workflow.outputs.artifacts.a", doc::Object{{"name", "a"}});
  scope.set_value("string", "a string value");
  return scope;
}

struct Row {
  const char* rule;
  const char* text;
  const char* kept;   ///< with kKeep; "error: " and a part of the message when it fails
  const char* error;  ///< a part of the message with kError, "" when it gives the same text
};

const Row kRows[] = {
    {"plain text", "no tags", "no tags", ""},
    {"empty text", "", "", ""},
    {"a tag alone", "{{foo}}", "bar", ""},
    {"text around a tag", "a{{foo}}b", "abarb", ""},
    {"two tags", "{{foo}}{{foo}}", "barbar", ""},
    {"white space inside the braces", "{{ foo\t}}", "bar", ""},
    {"hyphens", "{{my-param}}", "with hyphen", ""},
    {"an empty value", "[{{empty}}]", "[]", ""},
    {"quotes and control characters stay raw", "{{quote}}", "it's \"so\"\n\t\\", ""},
    {"unicode", "«{{unicode}}»", "«grün 東京 🚢»", ""},
    {"values are not read again", "{{json}}", R"({"a": [1, "{{foo}}"]})", ""},
    {"an unknown tag stays, white space too", "{{ nope }}", "{{ nope }}", "failed to resolve {{nope}} at column 1"},
    {"the place of an unknown tag", "ab\ncd {{nope}}", "ab\ncd {{nope}}", "at line 2, column 4"},
    {"the nearest name", "{{inputs.parameters.mesage}}", "{{inputs.parameters.mesage}}",
     "did you mean \"inputs.parameters.message\"?"},
    {"an empty tag", "{{}}", "{{}}", "failed to resolve {{}}"},
    {"a null value is an error always", "x {{steps.skipped.outputs.result}}", "error: output is an absent optional",
     "unable to substitute {{steps.skipped.outputs.result}} at column 3"},
    {"a value that is no string", "{{object}}", "error: failed to resolve {{object}} to string", "to string"},
    {"an artifact is no text", "{{workflow.outputs.artifacts.a}}", "{{workflow.outputs.artifacts.a}}",
     "failed to resolve {{workflow.outputs.artifacts.a}}"},
    {"a value that is a string", "{{string}}", "a string value", ""},
    {"nested: the outer tag waits for a later pass", "{{outer-{{inner}}}}", "{{outer-suffix}}", ""},
    {"nested with text after the inner tag", "{{{{inner}}x}}", "{{{{inner}}x}}", "failed to resolve"},
    {"nested, outer not known", "{{other-{{inner}}}}", "{{other-suffix}}", ""},
    {"nested, inner not known", "{{outer-{{nope}}}}", "{{outer-{{nope}}}}", "failed to resolve {{outer-{{nope}}"},
    {"nested in a foreign template", "{{- with secret \"{{foo}}\" -}}\n {{ .Data }}\n{{- end }}",
     "{{- with secret \"bar\" -}}\n {{ .Data }}\n{{- end }}", "failed to resolve"},
    {"nested deeper: the innermost only", "{{A {{B {{foo}}}}}}", "{{A {{B bar}}}}", ""},
    {"nested, the value is null", "{{outer-{{steps.skipped.outputs.result}}}}", "error: absent optional",
     "absent optional"},
    {"single braces", "{foo} }} {", "{foo} }} {", ""},
    {"three braces", "{{{foo}}}", "{{{foo}}}", "failed to resolve {{{foo}}"},
};

TEST(TextTemplate, RendersSimpleTags) {
  const Scope scope = simple_scope();
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.rule);
    const auto text = TextTemplate::compile(row.text);
    ASSERT_TRUE(text) << text.error().message;
    const auto kept = text->render(scope, Unresolved::kKeep);
    const std::string_view wanted = row.kept;
    if (wanted.starts_with("error: ")) {
      ASSERT_FALSE(kept);
      EXPECT_NE(kept.error().message.find(wanted.substr(7)), std::string::npos) << kept.error().message;
    } else {
      ASSERT_TRUE(kept) << kept.error().message;
      EXPECT_EQ(*kept, wanted);
    }
    const auto strict = text->render(scope, Unresolved::kError);
    if (*row.error) {
      ASSERT_FALSE(strict) << *strict;
      EXPECT_NE(strict.error().message.find(row.error), std::string::npos) << strict.error().message;
    } else {
      ASSERT_TRUE(strict) << strict.error().message;
      EXPECT_EQ(*strict, wanted);
    }
  }
}

TEST(TextTemplate, SiblingsMustResolveInArguments) {
  const Scope scope = simple_scope();
  const auto render = [&](std::string_view text) {
    return TextTemplate::compile(text)->render(scope, Unresolved::kErrorForSiblings);
  };
  EXPECT_EQ(*render("{{nope}} {{item}}"), "{{nope}} {{item}}");
  EXPECT_EQ(*render("{{steps.a.outputs.artifacts.x}}"), "{{steps.a.outputs.artifacts.x}}");
  EXPECT_EQ(*render("{{stepsons.a}}"), "{{stepsons.a}}");
  EXPECT_EQ(render("{{steps.a.outputs.result}}").error().code, Code::kNotFound);
  EXPECT_EQ(render("{{ tasks.a.ip }}").error().code, Code::kNotFound);
}

Scope rich_scope() {
  Scope scope = simple_scope();
  scope.set("steps.a.outputs.result", "heads");
  scope.set("steps.a.outputs.parameters.p", "1");
  scope.set_value("tasks.skipped.outputs.parameters.msg", nullptr);
  scope.set("workflow.parameters", "[{\"name\": \"x\"}]");
  scope.set("workflow.parameters.x", "y");
  return scope;
}

/// Results under kKeep, kError and kErrorForSiblings: a text, or "error: " and a part of the message.
struct ExpressionRow {
  const char* rule;
  const char* text;
  const char* keep;
  const char* error;
  const char* siblings;
};

const ExpressionRow kExpressionRows[] = {
    {"a string goes in raw", "<{{=foo}}>", "<bar>", "<bar>", "<bar>"},
    {"a number goes in as JSON", "{{=1 + 1}}", "2", "2", "2"},
    {"a bool goes in as JSON", "{{= true == false }}", "false", "false", "false"},
    {"an array goes in as JSON", "{{=[1, '2', {an: 'object'}]}}", R"([1,"2",{"an":"object"}])",
     R"([1,"2",{"an":"object"}])", R"([1,"2",{"an":"object"}])"},
    {"a map in the order of its keys", "{{={b: 1, a: '<'}}}", "error: ", "error: ", "error: "},
    {"a map in the order of its keys, with a space", "{{={b: 1, a: '<'} }}", R"({"a":"\u003c","b":1})",
     R"({"a":"\u003c","b":1})", R"({"a":"\u003c","b":1})"},
    {"quotes in strings stay", R"({{='"'}}{{="'"}})", R"("')", R"("')", R"("')"},
    {"two expressions and a tag", "{{=1}}{{foo}}{{=2}}", "1bar2", "1bar2", "1bar2"},
    {"dotted names", "{{=steps.a.outputs.result}}", "heads", "heads", "heads"},
    {"hyphens in brackets", "{{=inputs.parameters['message']}}", "hello world", "hello world", "hello world"},
    {"names below hide the name", "{{=workflow.parameters.x + toJson(workflow.parameters)}}", R"(y{"x":"y"})",
     R"(y{"x":"y"})", R"(y{"x":"y"})"},
    {"an unknown variable", "{{=nope}}", "{{=nope}}", "error: nope is missing", "{{=nope}}"},
    {"an unknown member", "{{=inputs.parameters.nope}}", "{{=inputs.parameters.nope}}",
     "error: inputs.parameters.nope is missing", "{{=inputs.parameters.nope}}"},
    {"an unknown member that is compared", "{{=inputs.parameters.nope == nil ? 'a' : 'b'}}", "a",
     "error: inputs.parameters.nope is missing", "a"},
    {"an unknown sibling", "{{=steps.b.outputs.result}}", "{{=steps.b.outputs.result}}", "error: steps.b is missing",
     "error: steps.b is missing"},
    {"a guarded sibling", "{{=steps.a.outputs.nope ?? 'x'}}", "x", "x", "x"},
    {"a guarded sibling whose root is unknown", "{{=items.a ?? 'x'}}", "{{=items.a ?? 'x'}}", "error: items is missing",
     "{{=items.a ?? 'x'}}"},
    {"a late variable", "{{=item ?? 'x'}}", "{{=item ?? 'x'}}", "error: item is missing", "{{=item ?? 'x'}}"},
    {"a late variable in a call", "{{=asInt(retries) + 1}}", "{{=asInt(retries) + 1}}", "error: retries is missing",
     "{{=asInt(retries) + 1}}"},
    {"a late member", "{{=workflow.status == 'x' ? 1 : 2}}", "{{=workflow.status == 'x' ? 1 : 2}}",
     "error: workflow.status is missing", "{{=workflow.status == 'x' ? 1 : 2}}"},
    {"a failing expression with all it needs", "{{=asInt(foo)}}", "{{=asInt(foo)}}",
     "error: invalid operation: int(bar)", "error: invalid operation: int(bar)"},
    {"a null output with a fallback", "{{=tasks.skipped.outputs.parameters.msg ?? 'x'}}", "x", "x", "x"},
    {"a null output", "{{=tasks.skipped.outputs.parameters.msg}}", "{{=tasks.skipped.outputs.parameters.msg}}",
     "error: its value is nil", "error: its value is nil"},
    {"infinity is no JSON", "{{=1/0}}", "{{=1/0}}", "error: unsupported value", "error: unsupported value"},
    {"a function that does not exist", "{{=nope(1)}}", "{{=nope(1)}}", "error: nope is missing", "{{=nope(1)}}"},
};

TEST(TextTemplate, RendersExpressions) {
  const Scope scope = rich_scope();
  for (const ExpressionRow& row : kExpressionRows) {
    SCOPED_TRACE(row.rule);
    const auto text = TextTemplate::compile(row.text);
    for (const auto& [unresolved, wanted] :
         {std::pair(Unresolved::kKeep, std::string_view(row.keep)),
          std::pair(Unresolved::kError, std::string_view(row.error)),
          std::pair(Unresolved::kErrorForSiblings, std::string_view(row.siblings))}) {
      const auto rendered = text ? text->render(scope, unresolved) : std::unexpected(text.error());
      if (wanted.starts_with("error: ")) {
        ASSERT_FALSE(rendered) << *rendered;
        EXPECT_NE(rendered.error().message.find(wanted.substr(7)), std::string::npos) << rendered.error().message;
        EXPECT_EQ(rendered.error().code, wanted.ends_with("is missing") ? Code::kNotFound : Code::kInvalidArgument);
      } else {
        ASSERT_TRUE(rendered) << rendered.error().message;
        EXPECT_EQ(*rendered, wanted);
      }
    }
  }
}

TEST(TextTemplate, ExpressionsThatDoNotParseHaveAPlace) {
  const auto text = TextTemplate::compile("abc {{= 1 + }}");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().message,
            "failed to evaluate expression at column 8: unexpected token EOF, expected a value (1:6)\n |  1 + \n | "
            ".....^");
}

TEST(TextTemplate, ExpressionsKnowTheirReferences) {
  const auto text = TextTemplate::compile("{{x}} {{= a.b['c'].d + f.g?.h + (i.j ?? k) + map(l, .m) }}");
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(text->references(), (std::vector<std::string>{"x", "a.b.c.d", "f.g", "i.j", "k", "l"}));
}

TEST(TextTemplate, KnowsItsReferences) {
  const auto text = TextTemplate::compile("{{b}} {{ a }} {{c.{{d}}}} {{b}}");
  EXPECT_EQ(text->references(), (std::vector<std::string>{"b", "a", "d", "b"}));
  EXPECT_FALSE(text->constant());
  EXPECT_TRUE(TextTemplate::compile("x")->constant());
  EXPECT_TRUE(TextTemplate::compile("x")->references().empty());
  EXPECT_EQ(TextTemplate().render(Scope(), Unresolved::kError), "");
}

TEST(TextTemplate, AnUnclosedTagIsAnError) {
  for (const char* text : {"{{", "a {{ b", "{{a}} {{b}", "{{{{"}) {
    const auto result = TextTemplate::compile(text);
    ASSERT_FALSE(result) << text;
    EXPECT_NE(result.error().message.find("has no closing }}"), std::string::npos) << result.error().message;
  }
}

TEST(TextTemplate, ManyOpenBracesEnd) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "{{";
  EXPECT_FALSE(TextTemplate::compile(text));
  EXPECT_EQ(TextTemplate::compile(text + "a}}")->render(Scope(), Unresolved::kKeep), text + "a}}");
}

/// A value that holds tags of itself is multiplied by each pass: what comes of it is bounded, in a text and in all
/// texts of a document together.
TEST(TextTemplate, WhatTagsGiveIsBounded) {
  Scope scope;
  scope.set("half", std::string(kMostRenderedBytes / 2, 'x'));
  const auto code = [&](std::string_view text) {
    const auto rendered = TextTemplate::compile(text)->render(scope, Unresolved::kKeep);
    return rendered ? std::string("fine") : std::string(code_name(rendered.error().code));
  };
  EXPECT_EQ(code("{{half}}{{half}}"), "fine");
  EXPECT_EQ(code("{{half}}{{half}}x"), "ResourceExhausted");
  EXPECT_EQ(code("{{half}}{{half}}{{half}}{{half}}"), "ResourceExhausted");
  const auto document = DocumentTemplate::compile(doc::Array{"{{half}}", doc::Object{{"a", "{{half}}"}}, "x{{half}}"});
  EXPECT_EQ(document->render(scope, Unresolved::kKeep).error().code, Code::kResourceExhausted);
}

TEST(TextTemplate, TagsAreCounted) {
  std::string many;
  for (std::size_t i = 0; i < kMostTags; ++i) many += "{{a}}";
  EXPECT_TRUE(TextTemplate::compile(many));
  EXPECT_EQ(TextTemplate::compile(many + "{{a}}").error().code, Code::kResourceExhausted);
  EXPECT_EQ(DocumentTemplate::compile(doc::Array{many, "{{a}}"}).error().code, Code::kResourceExhausted);
}

TEST(Scope, InnerHidesOuter) {
  Scope outer;
  outer.set("a", "outer a");
  outer.set_value("a", 1);
  outer.set("b", "outer b");
  outer.set_value("c", 2);
  Scope inner(&outer);
  inner.set("a", "inner a");
  inner.set_value("b", nullptr);
  EXPECT_EQ(*inner.text("a"), "inner a");
  EXPECT_EQ(inner.value("a"), nullptr);
  EXPECT_EQ(inner.text("b"), nullptr);
  EXPECT_EQ(*inner.value("b"), doc::Value(nullptr));
  EXPECT_EQ(*inner.value("c"), doc::Value(2));
  std::vector<std::string> seen;
  inner.for_each([&](std::string_view name, const std::string* text, const doc::Value* value) {
    seen.push_back(std::string(name) + (text ? "t" : "") + (value ? "v" : ""));
  });
  std::ranges::sort(seen);
  EXPECT_EQ(seen, (std::vector<std::string>{"at", "bv", "cv"}));
  outer.set("steps.a.outputs.result", "x");
  EXPECT_TRUE(inner.has_below("steps"));
  EXPECT_TRUE(inner.has_below("steps.a.outputs"));
  EXPECT_FALSE(inner.has_below("steps.a.outputs.result"));
  EXPECT_FALSE(inner.has_below("step"));
}

TEST(DocumentTemplate, RendersStringsAndKeys) {
  const Scope scope = simple_scope();
  const doc::Value document = {
      {"constant", {{"n", 1}, {"list", {1, 2}}}},
      {"{{foo}}", "{{inner}}"},
      {"list", {"a", "{{foo}}", {{"deep", "x{{foo}}"}}}},
      {"open", "{{foo}} and {{ open"},
  };
  const auto compiled = DocumentTemplate::compile(document);
  ASSERT_TRUE(compiled) << compiled.error().message;
  EXPECT_FALSE(compiled->constant());
  EXPECT_EQ(compiled->references(), (std::vector<std::string>{"foo", "inner"}));
  const auto rendered = compiled->render(scope, Unresolved::kError);
  ASSERT_TRUE(rendered) << rendered.error().message;
  const doc::Value wanted = {
      {"constant", {{"n", 1}, {"list", {1, 2}}}},
      {"bar", "suffix"},
      {"list", {"a", "bar", {{"deep", "xbar"}}}},
      {"open", "bar and {{ open"},
  };
  EXPECT_EQ(**rendered, wanted);
  EXPECT_EQ((*rendered)->get_object().begin()->key(), "constant");
}

TEST(DocumentTemplate, SharesWhatIsConstant) {
  const auto compiled = DocumentTemplate::compile(doc::Value{{"a", "{{ never closed"}});
  ASSERT_TRUE(compiled);
  EXPECT_TRUE(compiled->constant());
  EXPECT_EQ(*compiled->render(Scope(), Unresolved::kError), compiled->document());
}

TEST(DocumentTemplate, ErrorsHaveAPointer) {
  const auto compiled = DocumentTemplate::compile(doc::Value{{"a/b", {"x", "{{nope}}"}}, {"z", 1}});
  const auto rendered = compiled->render(Scope(), Unresolved::kError);
  ASSERT_FALSE(rendered);
  EXPECT_EQ(rendered.error().message, "/a~1b/1: failed to resolve {{nope}} at column 1");
}

}  // namespace
}  // namespace tiphys::expr
