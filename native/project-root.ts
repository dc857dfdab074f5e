import {existsSync} from 'node:fs';
import path from 'node:path';

/** What only the root has above it, in a checkout and on a box alike: native/ has a package.json of its own. */
const marker = 'appliance/page';

/** The checkout's root, and on a box the folder of the bundled software: pages and native addons lie below it in both. */
export const projectRoot: string = (() => {
	for (let folder = import.meta.dirname; ; folder = path.dirname(folder)) {
		if (existsSync(path.join(folder, marker))) {
			return folder;
		}
		if (folder === path.dirname(folder)) {
			throw new Error(`There is no ${marker} above ${import.meta.dirname}: this installation is not whole.`);
		}
	}
})();
