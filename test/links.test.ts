// Links between the pages of this repository lead to files and headings that exist; CITATION.cff has the right fields.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { markdownPaths } from "./support/markdown.js";
import { repositoryRoot } from "./support/run-command.js";

const read = (path: string) => readFileSync(join(repositoryRoot, path), "utf8");
const withoutCode = (text: string) => text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, "");

/** As GitHub makes them of headings. */
function anchorsOf(path: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of withoutCode(read(path)).matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const name = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-");
    let anchor = name;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${name}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

function deadLinks(path: string): string[] {
  return [...withoutCode(read(path)).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = ""]) => link)
    .filter(link => !/^[a-z]+:/.test(link))
    .filter(link => {
      const [file = "", anchor] = link.split("#");
      const target = file === "" ? path : join(dirname(path), file);
      if (!existsSync(join(repositoryRoot, target))) return true;
      return anchor !== undefined && !anchorsOf(target).has(anchor);
    });
}

const pages = [...markdownPaths(repositoryRoot), "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"];

test.each(pages)("%s has no dead link", path => expect(deadLinks(path)).toEqual([]));

test("CITATION.cff says what version 1.2.0 of the format requires, of this package", () => {
  const citation = parse(read("CITATION.cff"));
  const { version, license } = JSON.parse(read("packages/runtime/package.json"));
  expect(citation).toMatchObject({
    "cff-version": "1.2.0",
    type: "software",
    title: "Synod",
    version,
    license,
  });
  expect(citation.message).toMatch(/\S/);
  const named = expect.objectContaining({ name: expect.stringMatching(/\S/) });
  expect(citation.authors).toEqual(expect.arrayContaining([named]));
  for (const reference of citation.references) {
    expect(reference).toMatchObject({ type: "article", title: expect.any(String) });
    expect(reference.authors.length).toBeGreaterThan(0);
  }
});
