import {readFileSync} from 'node:fs';

/** RLIMIT_NOFILE of this process, which what it starts inherits: a broker needs a descriptor per box. */
export const openFilesMax = (): number =>
	Number(/Max open files\s+\d+\s+(\d+)/u.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
