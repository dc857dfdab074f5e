/** What the audit log keeps of a request's content. */
export const auditDetailCharactersMax = 4096;
const depthMax = 6;
const secretName = /pass|secret|token|key|credential|authorization|^current$|^next$/iu;

/** A request's content without what must not be written down, and bounded. */
export const auditDetailOf = (body: unknown): string => {
	const text = JSON.stringify(withoutSecrets(body, 0) ?? null);
	return text.length <= auditDetailCharactersMax
		? text
		: JSON.stringify({truncated: true, begins: text.slice(0, auditDetailCharactersMax / 2)});
};

const withoutSecrets = (value: unknown, depth: number): unknown => {
	if (depth > depthMax) {
		return '…';
	}
	if (Array.isArray(value)) {
		return value.slice(0, 100).map((item) => withoutSecrets(item, depth + 1));
	}
	if (typeof value === 'object' && value !== null) {
		return Object.fromEntries(
			Object.entries(value).map(([name, inner]) => [
				name,
				secretName.test(name) && typeof inner === 'string' ? '[removed]' : withoutSecrets(inner, depth + 1),
			]),
		);
	}
	return value;
};
