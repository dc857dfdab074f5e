import type {CollectOptions, Collector} from '#appliance/diagnostics/bundle/collector.ts';
import {redactStructure} from '#appliance/diagnostics/bundle/redact.ts';
import type {DiagnosticsErrorCode} from '#appliance/diagnostics/error-code.ts';
import {CodedError} from '#appliance/error/coded-error.ts';

export type BoxSources = {
	/** The box's configuration as it is in force. */
	readonly config: () => unknown;
	readonly supervisorStatus: () => unknown;
	/** The link's and spool's state, without credentials. */
	readonly linkStatus: () => unknown;
	/** URLs that the role told, by name. */
	readonly roleEndpoints: () => Readonly<Record<string, string>>;
	/** Log lines that this process kept, where no journal does. */
	readonly logLines: () => readonly string[];
};

/** What a role tells of itself: reception, multicast and repair are in its status. */
const rolePaths = ['/box/status', '/status', '/box/metrics', '/metrics'] as const;

const json = (name: string, read: () => unknown): Collector => ({
	name,
	collect: () => Promise.resolve(`${JSON.stringify(redactStructure(read()), undefined, '\t')}\n`),
});

export const boxCollectors = (sources: BoxSources): readonly Collector[] => [
	json('box/config.json', sources.config),
	json('box/supervisor.json', sources.supervisorStatus),
	json('box/link.json', sources.linkStatus),
	json('box/versions.json', () => ({node: process.versions, arch: process.arch, platform: process.platform})),
	// Names alone: what an environment holds is nobody's business.
	json('box/environment.json', () => Object.keys(process.env).toSorted()),
	json('box/process.json', () => ({memory: process.memoryUsage(), usage: process.resourceUsage()})),
	{name: 'log/recent.txt', collect: () => Promise.resolve(sources.logLines().join('\n'))},
	...rolePaths.map((rolePath) => ({
		name: `role${rolePath.replaceAll('/', '-')}.txt`,
		deadlineMs: 5000,
		collect: async (options: CollectOptions) => await askRole(sources.roleEndpoints(), rolePath, options),
	})),
];

const askRole = async (
	endpoints: Readonly<Record<string, string>>,
	rolePath: string,
	{signal, bytesMax}: CollectOptions,
): Promise<string> => {
	const base = endpoints['http'] ?? Object.values(endpoints).find((url) => url.startsWith('http://'));
	if (base === undefined) {
		throw new CodedError<DiagnosticsErrorCode>('DIAGNOSTICS_NOT_HERE', {
			message: 'The role does not serve at present.',
		});
	}
	const answer = await fetch(new URL(rolePath, base), {signal});
	if (!answer.ok || answer.body === null) {
		await answer.body?.cancel();
		throw new CodedError<DiagnosticsErrorCode>('DIAGNOSTICS_NOT_HERE', {
			message: `${rolePath} answered ${answer.status}.`,
		});
	}
	const chunks: Uint8Array[] = [];
	let sizeBytes = 0;
	for await (const chunk of answer.body) {
		chunks.push(chunk);
		sizeBytes += chunk.length;
		if (sizeBytes > bytesMax) {
			break;
		}
	}
	return Buffer.concat(chunks).toString('utf8');
};
