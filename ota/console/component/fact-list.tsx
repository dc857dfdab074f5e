import type {JSX} from 'preact';
import {flatFacts} from '../format/flat-facts.ts';

/** What an object holds as names and values, and on demand exactly as it came. */
export const FactList = ({value}: {readonly value: unknown}): JSX.Element | null => {
	const facts = flatFacts(value);
	return facts.length === 0 ? null : (
		<div class="facts-line">
			<dl>
				{facts.map(([name, text]) => (
					<div key={name}>
						<dt>{name}</dt>
						<dd>{text}</dd>
					</div>
				))}
			</dl>
			<details>
				<summary>raw</summary>
				<pre>{JSON.stringify(value, null, 2)}</pre>
			</details>
		</div>
	);
};
