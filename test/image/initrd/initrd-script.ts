import {readFileSync} from 'node:fs';
import path from 'node:path';
import {imageDirectory} from '#image/make/recipe.ts';

type InitrdScript = {
	/** What matches, which must be there. */
	readonly part: (pattern: RegExp) => string;
	/** Their text, which a shell can take in. */
	readonly functions: (names: readonly string[]) => string;
};

/** A script of the initrd, whose parts are run outside of one. */
export const readInitrdScript = (name: string): InitrdScript => {
	const script = readFileSync(path.join(imageDirectory, 'initrd', name), 'utf8');
	const part = (pattern: RegExp): string => {
		const [text] = pattern.exec(script) ?? [];
		if (text === undefined) {
			throw new Error(`${name} has no ${pattern}`);
		}
		return text;
	};
	return {
		part,
		functions: (names) =>
			names.map((called) => part(new RegExp(`^${called}\\(\\) \\{(?:.*\\}$|[^]*?^\\})`, 'mu'))).join('\n'),
	};
};
