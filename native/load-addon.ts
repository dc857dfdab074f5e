import {createRequire} from 'node:module';
import path from 'node:path';
import {projectRoot} from './project-root.ts';

const buildFolder = /^build(?:-[a-z]+)?$/u;

/**
 * Loads native/build/addons/<name>.node. STREAMVERSE_NATIVE_BUILD names another build beside it, so that the sanitizers' one can
 * stand under the same tests.
 */
export const loadAddon = (name: string): unknown => {
	const folder = process.env['STREAMVERSE_NATIVE_BUILD'] ?? 'build';
	if (!buildFolder.test(folder)) {
		throw new TypeError(`STREAMVERSE_NATIVE_BUILD is build or build-<name>, not ${folder}`);
	}
	return createRequire(import.meta.url)(path.join(projectRoot, 'native', folder, 'addons', `${name}.node`));
};
