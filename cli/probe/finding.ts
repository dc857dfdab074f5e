export type Severity = 'error' | 'warning' | 'note';

/** What is not as a standard has it, and where the standard says so. */
export type Finding = {
	readonly severity: Severity;
	/** Of a standard: `RFC 3926 section 3.4.2`. */
	readonly clause: string;
	readonly where: string;
	readonly message: string;
	/** How often it was seen. */
	readonly count: number;
};

/** A hostile stream may break every rule in every packet; so many different findings are kept. */
const findingsMax = 500;
const order: Readonly<Record<Severity, number>> = {error: 0, warning: 1, note: 2};

/** Collects findings; the same at the same place is one that is counted. */
export class FindingBook {
	readonly #findings = new Map<string, Finding>();

	add(finding: Omit<Finding, 'count'>, count = 1): void {
		const key = `${finding.where}\n${finding.message}`;
		const known = this.#findings.get(key);
		if (known !== undefined) {
			this.#findings.set(key, {...known, count: known.count + count});
		} else if (this.#findings.size < findingsMax) {
			this.#findings.set(key, {...finding, count});
		}
	}

	/** The gravest first. */
	all(): readonly Finding[] {
		return [...this.#findings.values()].sort((a, b) => order[a.severity] - order[b.severity]);
	}
}
