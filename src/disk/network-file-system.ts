/**
 * Which kinds of file system other machines may write to as well, so that neither a local socket nor a boot
 * id says who lives. A table and two pure functions; asks the operating system nothing.
 */

/**
 * The `f_type` of Linux's statfs. 9P is counted although it mostly joins a virtual machine to its own host
 * (WSL's /mnt/c, Docker Desktop): that host is another kernel, which writes the same files and cannot see our
 * sockets.
 */
const networkMagics: ReadonlySet<number> = new Set([
  0x6969, // NFS
  0x517b, // SMB
  0xff534d42, // CIFS
  0xfe534d42, // SMB2
  0x5346414f, // AFS
  0x6b414653, // kAFS
  0x00c36400, // Ceph
  0x01021997, // 9P
  0x0bd00bd0, // Lustre
  0x01161970, // GFS2
  0x7461636f, // OCFS2
  0x47504653, // GPFS
  0x73757245, // Coda
  0x564c, // NCP
  0x786f4256, // VirtualBox shared folders
])

const fuseMagic = 0x65735546

/**
 * FUSE carries anything from a local NTFS stick to an object store: these are known to be local, all others
 * count as network.
 */
const localFuseTypes: ReadonlySet<string> = new Set([
  'fuseblk',
  'fuse.fuse-overlayfs',
  'fuse.bindfs',
  'fuse.mergerfs',
  'fuse.unionfs',
  'fuse.encfs',
  'fuse.cryfs',
  'fuse.gocryptfs',
  'fuse.zfs',
  'fuse.ntfs-3g',
  'fuse.exfat',
])

/**
 * macOS names its file systems in the output of `mount`: `//me@host/share on /Volumes/share (smbfs, nodev)`.
 */
const networkMountTypes: ReadonlySet<string> = new Set([
  'nfs',
  'smbfs',
  'afpfs',
  'webdav',
  'ftp',
  'cifs',
  'virtiofs',
])

/** `mountInfo` is Linux's /proc/self/mountinfo, looked into for FUSE only. */
export function isNetworkOnLinux(magic: number, path: string, mountInfo: string): boolean {
  const unsigned = magic >>> 0
  if (networkMagics.has(unsigned)) return true
  return unsigned === fuseMagic && !localFuseTypes.has(typeOf(path, linuxMounts(mountInfo)))
}

/** `mounts` is the output of `mount`. */
export function isNetworkOnMac(path: string, mounts: string): boolean {
  return networkMountTypes.has(typeOf(path, macMounts(mounts)))
}

interface Mount {
  place: string
  type: string
}

/** The type of the innermost mount that holds the path; among mounts at one place the last lies on top. */
function typeOf(path: string, mounts: Mount[]): string {
  let best: Mount = { place: '', type: '' }
  for (const mount of mounts) {
    const holds = mount.place === '/' || path === mount.place || path.startsWith(`${mount.place}/`)
    if (holds && mount.place.length >= best.place.length) best = mount
  }
  return best.type
}

function linuxMounts(mountInfo: string): Mount[] {
  return mountInfo.split('\n').flatMap((line) => {
    const [left = '', right = ''] = line.split(' - ')
    const place = left.split(' ')[4]
    const [type] = right.split(' ')
    if (!place || !type) return []
    return [
      {
        place: place.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))),
        type,
      },
    ]
  })
}

function macMounts(mounts: string): Mount[] {
  return [...mounts.matchAll(/^.* on (\/.*) \(([a-z0-9_]+)[,)]/gim)].map(([, place = '', type = '']) => ({
    place,
    type,
  }))
}
