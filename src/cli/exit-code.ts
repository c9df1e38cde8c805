/** What a verb answers: yes (0), no (1), or that the question could not be asked (2). */
export type ExitCode = 0 | 1 | 2
