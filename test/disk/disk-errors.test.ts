import { describe, expect, test } from 'vitest'
import { isDiskFull, namingErrors } from '../../src/disk/disk-errors.ts'
import { VarveError } from '../../src/errors.ts'

const failing = (code: string) => () =>
  Promise.reject(Object.assign(new Error(`${code}: it said no, write`), { code, syscall: 'write' }))

describe('what the operating system says', () => {
  test.each([
    ['ENOSPC', 'VARVE_DISK_FULL'],
    ['EDQUOT', 'VARVE_DISK_FULL'],
    ['EFBIG', 'VARVE_DISK_FULL'],
    ['EACCES', 'VARVE_PERMISSION'],
    ['EPERM', 'VARVE_PERMISSION'],
    ['EROFS', 'VARVE_PERMISSION'],
    ['EEXIST', 'VARVE_NOT_A_DIRECTORY'],
    ['ENOTDIR', 'VARVE_NOT_A_DIRECTORY'],
    ['ELOOP', 'VARVE_NOT_A_DIRECTORY'],
    ['ENAMETOOLONG', 'VARVE_NOT_A_DIRECTORY'],
    ['EIO', 'VARVE_IO'],
  ])('as %s is told as %s, with the path and the cause', async (said, code) => {
    const error = await namingErrors('/data', failing(said)).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code, fields: { path: '/data' }, cause: { code: said } })
    expect((error as Error).message).toContain('/data')
  })

  test('a full disk is one whatever the limit that was met', () => {
    const full = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EIO'].filter((code) => isDiskFull({ code }))
    expect(full).toEqual(['ENOSPC', 'EDQUOT', 'EFBIG'])
    expect(isDiskFull(undefined)).toBe(false)
  })

  test('an error that is not its own is passed on as it is', async () => {
    const given = [new VarveError('VARVE_CLOSED', 'Closed.'), new TypeError('a bug')]
    for (const error of given) {
      const work = (): Promise<never> => Promise.reject(error)
      await expect(namingErrors('/data', work)).rejects.toBe(error)
    }
  })
})
