/** English words that say nothing about what a text is about. Contractions stand as the parts a word regex makes of them. */
const words = `
a about above after again against all also am an and any are aren as at be because been before being below between both but by
can cannot could couldn d did didn do does doesn doing don done down during each few for from further get got had hadn has hasn
have haven having he her here hers herself him himself his how i if in into is isn it its itself just ll m may me might more most
much must mustn my myself no nor not now o of off on once one only or other our ours ourselves out over own re s same shall she
should shouldn so some such t than that the their theirs them themselves then there these they this those through to too under
until up upon us ve very via was wasn we were weren what when where which while who whom whose why will with within without won
would wouldn you your yours yourself yourselves
`

export const stopWords: ReadonlySet<string> = new Set(words.trim().split(/\s+/))
