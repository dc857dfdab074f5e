import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {parse} from 'yaml';
import {
	createRedactor,
	redactPatterns,
	redactStructure,
	secretsOfEnvironment,
} from '#appliance/diagnostics/bundle/redact.ts';
import {hasCode} from '#appliance/error/coded-error.ts';
import {keptClaimName} from '#appliance/identity/identity-files.ts';
import type {Logger} from '#appliance/log/logger.ts';

/** Old ones are remembered too, since old logs hold them; beyond so many the oldest are forgotten. */
const secretsMax = 2000;

export type BoxSecretsOptions = {
	/** `<stateDirectory>/fleet`. */
	readonly directory: string;
	readonly boxFilePath: string;
	/** Where a claim may have been put. */
	readonly claimFile: string | undefined;
	/** What is in force; looked at again whenever it is another. */
	readonly config: () => unknown;
	readonly logger: Logger;
};

/** Takes out of texts every secret that this box holds, and held since its start. */
export class BoxSecrets {
	readonly #options: BoxSecretsOptions;
	readonly #known = new Set(secretsOfEnvironment(process.env));
	#config: unknown;
	#redactor: ((text: string) => string) | undefined;

	constructor(options: BoxSecretsOptions) {
		this.#options = options;
	}

	readonly redact = (text: string): string => {
		this.#lookAtConfig();
		this.#redactor ??= createRedactor(this.#known);
		return this.#redactor(text);
	};

	#lookAtConfig(): void {
		const config = this.#options.config();
		if (config !== this.#config) {
			this.#config = config;
			this.noteStructure(config);
		}
	}

	/** What stands under secret names in it is one: also in what is only tried, or refused in the end. */
	noteStructure(value: unknown): void {
		const found = new Set<string>();
		redactStructure(value, found);
		this.#note(found);
	}

	noteKey(keyPem: string): void {
		this.#note(keyPem.split('\n').filter((line) => !line.startsWith('-----')));
	}

	/** Reads anew what lies in files, and looks at what is in force. Each file is for itself: one that is broken, or not there, hides no other's. */
	async readFiles(): Promise<void> {
		const {directory, boxFilePath, claimFile} = this.#options;
		this.#lookAtConfig();
		const claims = [path.join(directory, keptClaimName), ...(claimFile === undefined ? [] : [claimFile])];
		for (const filePath of [boxFilePath, ...claims]) {
			const text = await this.#read(filePath);
			const found = new Set<string>();
			try {
				// Claims are JSON, which YAML contains.
				redactStructure(parse(text), found);
			} catch {
				// Somebody is at it, or it is damaged: lines of it may hold what a name tells to be secret.
				redactPatterns(text, found);
			}
			this.#note(found);
		}
		this.noteKey(await this.#read(path.join(directory, 'key.pem')));
	}

	async #read(filePath: string): Promise<string> {
		try {
			return await readFile(filePath, 'utf8');
		} catch (error) {
			if (!hasCode(error, 'ENOENT')) {
				this.#options.logger.warn({err: error, filePath}, 'secrets of this file are not known to the redactor');
			}
			return '';
		}
	}

	#note(found: Iterable<string>): void {
		for (const secret of found) {
			if (!this.#known.has(secret)) {
				this.#known.add(secret);
				this.#redactor = undefined;
			}
		}
		for (const oldest of this.#known) {
			if (this.#known.size <= secretsMax) {
				break;
			}
			this.#known.delete(oldest);
		}
	}
}
