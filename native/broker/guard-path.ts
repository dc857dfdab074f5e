import {existsSync} from 'node:fs';
import path from 'node:path';
import {projectRoot} from '../project-root.ts';

/** Where the guard was built to; undefined where it was not, for want of mosquitto's headers. */
export const guardPath = (): string | undefined => {
	const built = path.join(projectRoot, 'native', 'build', 'broker', 'guard.so');
	return existsSync(built) ? built : undefined;
};
