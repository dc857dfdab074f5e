import {parse} from 'yaml';
import type {z} from 'zod';
import {configBytesMax, type LoadedBoxConfig, parseBoxConfig} from '#appliance/config/parse-box-config.ts';
import type {BoxKind} from '#appliance/contract/box-schema.ts';
import {CodedError} from '#appliance/error/coded-error.ts';
import type {MemberErrorCode} from '#ota/member/error-code.ts';
import {isRecord, mergePatch} from '#ota/member/merge-patch.ts';

export type Overlay = Readonly<Record<string, unknown>>;

export type EffectiveConfig = {
	/** The text of the file that the role is started with: JSON, which YAML 1.2 contains. */
	readonly text: string;
	/** What the role reads of it; the role is started anew only when this differs. */
	readonly roleText: string;
	readonly loaded: LoadedBoxConfig<unknown>;
};

const aliasCountMax = 100;

/**
 * The box's file with the fleet's overlay laid over it, validated by the same schemas as the file itself. Only the role's
 * section and the log may be changed from afar: who the box is and how it reaches its fleet are the matter of whoever
 * stands before it.
 * @throws CodedError OTA_CONFIG_FORBIDDEN or APPLIANCE_CONFIG_INVALID, whose message tells every mistake
 */
export const layOver = (options: {
	readonly boxText: string;
	readonly overlay: Overlay;
	readonly stateDirectory: string;
	readonly kind: BoxKind;
	readonly sectionSchemaOf: (kind: BoxKind) => z.ZodType | undefined;
}): EffectiveConfig => {
	const {boxText, overlay, kind, stateDirectory} = options;
	const foreign = Object.keys(overlay).filter((key) => key !== kind && key !== 'log');
	if (foreign.length > 0) {
		throw new CodedError<MemberErrorCode>('OTA_CONFIG_FORBIDDEN', {
			message: `A fleet may change only ${kind} and log, and not ${foreign.slice(0, 10).join(', ')}.`,
			details: {keys: foreign.slice(0, 10)},
		});
	}
	const base: unknown = parse(boxText, {maxAliasCount: aliasCountMax});
	const merged = mergePatch(isRecord(base) ? base : {}, overlay);
	const {fleet: _fleet, box, ...rest} = isRecord(merged) ? merged : {};
	// The file that this becomes lies elsewhere, so that a relative directory would mean another one.
	const effective = {...rest, box: {...(isRecord(box) ? box : {}), stateDirectory}};
	const text = `${JSON.stringify(effective, undefined, '\t')}\n`;
	if (text.length > configBytesMax) {
		throw new CodedError<MemberErrorCode>('OTA_CONFIG_FORBIDDEN', {
			message: `The configuration would be longer than ${configBytesMax} bytes.`,
		});
	}
	const loaded = parseBoxConfig<unknown>({
		...{text, kind, filePath: 'the configuration'},
		sectionSchemaOf: (asked) => options.sectionSchemaOf(asked),
	});
	return {text, loaded, roleText: JSON.stringify([loaded.role, loaded.log])};
};
