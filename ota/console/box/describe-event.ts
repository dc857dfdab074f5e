import {flatFacts} from '../format/flat-facts.ts';

type Data = Readonly<Record<string, unknown>>;

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** An event as a sentence; what has no words of its own is told fact by fact. */
export const describeEvent = (kind: string, data: unknown): string => {
	const facts: Data = typeof data === 'object' && data !== null ? (data as Data) : {};
	const reason = facts['reason'] as {message?: string; code?: string} | undefined;
	switch (kind) {
		case 'boot':
			return `Booted ${text(facts['release'])}, cause: ${text(facts['cause'])} ${text(facts['detail'])}`.trim();
		case 'service':
			return `${text(facts['service'])}: ${text(facts['state'])}. ${text(facts['detail'])}`;
		case 'alarm':
			return `${facts['raised'] === true ? 'Raised' : 'Cleared'}: ${text(facts['message'])}`;
		case 'update':
			return [`Update to ${text(facts['release'])}: ${text(facts['phase'])}`, reason?.message, reason?.code]
				.filter((part) => part !== undefined)
				.join(' · ');
		case 'order-refused':
			return `${text(facts['message'])} · ${text(facts['code'])}`;
		case 'telemetry-gap':
			return `Telemetry ${String(facts['fromSequence'])} to ${String(facts['toSequence'])} was given up for room`;
		default:
			return flatFacts(facts)
				.map(([name, value]) => `${name}: ${value}`)
				.join(' · ');
	}
};
