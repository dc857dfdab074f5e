import {readFile} from 'node:fs/promises';
import path from 'node:path';
import {z} from 'zod';
import type {LoadedBoxConfig} from '#appliance/config/parse-box-config.ts';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import {CodedError, errorMessage} from '#appliance/error/coded-error.ts';
import type {Logger} from '#appliance/log/logger.ts';
import {writeDurably} from '#appliance/store/write-durably.ts';
import {type EffectiveConfig, layOver, type Overlay} from '#ota/member/effective-config.ts';
import type {MemberErrorCode} from '#ota/member/error-code.ts';

const fileMode = 0o600;
const refusalCharsMax = 2048;

/** What is kept of the fleet's configuration: the last that worked, and what became of a newer one. */
const keptSchema = z.object({
	version: z.literal(1),
	revision: z.int().min(0),
	overlay: z.record(z.string(), z.json()),
	refused: z.object({revision: z.int(), reason: z.string()}).optional(),
});
type Kept = z.infer<typeof keptSchema>;

export type OverlayStatus = {readonly revision: number; readonly refused: string | undefined};

export type OverlayKeeperOptions = {
	/** `<stateDirectory>/fleet`. */
	readonly directory: string;
	readonly boxFilePath: string;
	readonly config: Pick<LoadedBoxConfig<unknown>, 'box'>;
	readonly sectionSchemaOf: (kind: BoxKind) => z.ZodType | undefined;
	readonly logger: Logger;
};

/** Starts the role anew and watches whether it runs; rejects when it does not. */
export type TryRole = (why: string) => Promise<void>;

/**
 * The configuration that the role runs with. Invariant: what `roleFile` names is, whenever no trial is under way, the
 * last that the role was seen to run with, or the box's own file.
 */
export class OverlayKeeper {
	readonly #options: OverlayKeeperOptions;
	#kept: Kept = {version: 1, revision: 0, overlay: {}};
	#effective: EffectiveConfig | undefined;
	#queue: Promise<void> = Promise.resolve();

	constructor(options: OverlayKeeperOptions) {
		this.#options = options;
	}

	/** Takes up what was kept. A file that the technician changed since may not bear it: then it waits for the fleet. */
	async open(): Promise<void> {
		const {logger} = this.#options;
		try {
			this.#kept = keptSchema.parse(JSON.parse(await readFile(this.#path('overlay.json'), 'utf8')));
		} catch (error) {
			logger.debug({reason: errorMessage(error)}, 'no overlay was kept');
		}
		try {
			this.#effective = await this.#lay(this.#kept.overlay);
			await this.#writeRoleFile(this.#effective);
		} catch (error) {
			logger.warn({err: error}, 'the fleet’s configuration does not fit the box’s file any more');
			this.#kept = {...this.#kept, overlay: {}, refused: {revision: this.#kept.revision, reason: reasonOf(error)}};
		}
	}

	status(): OverlayStatus {
		return {revision: this.#kept.revision, refused: this.#kept.refused?.reason};
	}

	/** What the role is to be started with. */
	roleFile(): string {
		return Object.keys(this.#kept.overlay).length === 0 && this.#trial === undefined
			? this.#options.boxFilePath
			: this.#path('box.json');
	}

	config(): unknown {
		return this.#effective?.loaded;
	}

	#trial: Overlay | undefined;

	/** Takes what the fleet wants, one after the other; resolves when it is decided. */
	take(revision: number, overlay: Overlay, tryRole: TryRole): Promise<void> {
		const turn = this.#queue.then(() => this.#decide(revision, overlay, tryRole));
		this.#queue = turn.catch(() => undefined);
		return turn;
	}

	/** Reads the box's file anew; true when the role was started with something else. */
	reload(tryRole: TryRole): Promise<boolean> {
		const turn = this.#queue.then(async () => {
			const effective = await this.#lay(this.#kept.overlay);
			const changed = effective.roleText !== this.#effective?.roleText;
			await this.#writeRoleFile(effective);
			this.#effective = effective;
			if (changed) {
				await tryRole('its configuration was changed on the box');
			}
			return changed;
		});
		this.#queue = turn.then(
			() => undefined,
			() => undefined,
		);
		return turn;
	}

	async #decide(revision: number, overlay: Overlay, tryRole: TryRole): Promise<void> {
		if (revision <= (this.#kept.refused?.revision ?? 0)) {
			return;
		}
		if (JSON.stringify(overlay) === JSON.stringify(this.#kept.overlay)) {
			await this.#keep({version: 1, revision, overlay: this.#kept.overlay});
			return;
		}
		const before = this.#effective;
		try {
			const effective = await this.#lay(overlay);
			await this.#writeRoleFile(effective);
			if (effective.roleText !== before?.roleText) {
				this.#trial = overlay;
				await tryRole('the fleet changed its configuration');
			}
			this.#effective = effective;
			await this.#keep({version: 1, revision, overlay: overlay as Kept['overlay']});
		} catch (error) {
			await this.#refuse({revision, error, before, tryRole});
		} finally {
			this.#trial = undefined;
		}
	}

	async #refuse(options: {
		readonly revision: number;
		readonly error: unknown;
		readonly before: EffectiveConfig | undefined;
		readonly tryRole: TryRole;
	}): Promise<void> {
		const {revision, error, before, tryRole} = options;
		const {logger} = this.#options;
		logger.warn({err: error, revision}, 'the fleet’s configuration is refused; the last good one stays');
		const tried = this.#trial !== undefined;
		this.#trial = undefined;
		this.#effective = before;
		if (before !== undefined) {
			await this.#writeRoleFile(before).catch((cause: unknown) =>
				logger.error({err: cause}, 'cannot write the last good'),
			);
		}
		await this.#keep({...this.#kept, refused: {revision, reason: reasonOf(error)}});
		if (tried) {
			await tryRole('the fleet’s configuration did not work').catch((cause: unknown) =>
				logger.error({err: cause}, 'the role does not run with the last good configuration either'),
			);
		}
	}

	async #lay(overlay: Overlay): Promise<EffectiveConfig> {
		const {boxFilePath, config, sectionSchemaOf} = this.#options;
		const {kind, stateDirectory} = config.box;
		const boxText = await readFile(boxFilePath, 'utf8');
		return layOver({boxText, overlay, kind, stateDirectory, sectionSchemaOf});
	}

	async #writeRoleFile({text}: EffectiveConfig): Promise<void> {
		await writeDurably(this.#path('box.json'), text, {mode: fileMode});
	}

	async #keep(kept: Kept): Promise<void> {
		this.#kept = kept;
		try {
			await writeDurably(this.#path('overlay.json'), `${JSON.stringify(kept)}\n`, {mode: fileMode});
		} catch (error) {
			// It holds until the next start, when the fleet's order is looked at again.
			this.#options.logger.error({err: error}, 'cannot keep the fleet’s configuration');
		}
	}

	#path(name: string): string {
		return path.join(this.#options.directory, name);
	}
}

const reasonOf = (error: unknown): string => errorMessage(error).slice(0, refusalCharsMax);

export const reverted = (why: string, cause?: unknown): CodedError<MemberErrorCode> =>
	new CodedError<MemberErrorCode>('OTA_CONFIG_REVERTED', {message: `The role does not run with it: ${why}`, cause});
