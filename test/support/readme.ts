// Ties README code to files that run. A block names its file in the comment right above it:
// `<!-- examples/FILE.ts -->` for the whole file, `<!-- examples/FILE.ts#NAME -->` for `// region NAME` … `// endregion`.

/** Every TypeScript block of `markdown` that is not, word for word, the example it names, and why. */
export function readmeProblems(
  markdown: string,
  readExample: (path: string) => string | undefined,
): string[] {
  const problems: string[] = []
  for (const { source, code, line } of typescriptBlocks(markdown)) {
    const report = (fact: string) => problems.push(`README.md:${line}: ${fact}`)
    if (source === undefined) {
      report('no <!-- examples/FILE.ts --> or <!-- examples/FILE.ts#NAME --> on the line above this block')
      continue
    }
    const [path, name] = source.split('#') as [string, string?]
    const file = readExample(path)
    const example = file === undefined || name === undefined ? file : region(file, name)
    if (file === undefined) report(`${path} does not exist`)
    else if (example === undefined) report(`${path} has no "// region ${name}" … "// endregion"`)
    else if (example.trim() !== code.trim())
      report(`differs from ${source}. ${firstDifference(code, example)}`)
  }
  return problems
}

export function typescriptBlocks(markdown: string): { source?: string; code: string; line: number }[] {
  const blocks = markdown.matchAll(
    /(?:^<!-- (?<source>examples\/\S+) -->\n+)?^```(?:ts|tsx|typescript)\b.*\n(?<code>[^]*?)^```$/gm,
  )
  return [...blocks].map(({ index, groups }) => ({
    ...(groups!['source'] !== undefined && { source: groups!['source'] }),
    code: groups!['code']!,
    line: markdown.slice(0, index).split('\n').length,
  }))
}

/** The lines between the marks, without the indentation they share. */
function region(file: string, name: string): string | undefined {
  const lines = file.split('\n')
  const start = lines.findIndex((line) => line.trim() === `// region ${name}`)
  const end = lines.findIndex((line, at) => at > start && line.trim().startsWith('// endregion'))
  if (start < 0 || end < 0) return undefined
  const inner = lines.slice(start + 1, end)
  const indents = inner.filter((line) => line.trim() !== '').map((line) => line.search(/\S/))
  return inner.map((line) => line.slice(Math.min(...indents))).join('\n')
}

function firstDifference(code: string, example: string): string {
  const [block, file] = [code.trim().split('\n'), example.trim().split('\n')]
  const at = file.findIndex((line, index) => line !== block[index])
  const line = at < 0 ? file.length : at
  const quote = (text?: string) => (text === undefined ? 'nothing more' : JSON.stringify(text))
  return `Line ${line + 1} of the block is ${quote(block[line])}, of the example ${quote(file[line])}`
}
