import type {ComponentChildren, JSX} from 'preact';
import type {Pages} from '../state/use-pages.ts';
import {Empty, Failed} from './empty.tsx';
import type {IconName} from './icon.tsx';
import {MoreButton} from './more-button.tsx';

/** A list by pages as a table, with what is shown when it is empty or was refused. */
export const ListPanel = <Item,>(props: {
	readonly label: string;
	readonly pages: Pages<Item>;
	readonly heads: readonly string[];
	readonly icon: IconName;
	readonly empty: string;
	readonly renderRow: (item: Item) => ComponentChildren;
}): JSX.Element => {
	const {label, pages, heads, icon, empty, renderRow} = props;
	return (
		<section class="panel panel-flush" aria-label={label}>
			{pages.error.value !== undefined && <Failed error={pages.error.value} onRetry={pages.reload} />}
			{pages.items.length === 0 && !pages.isFirst.value && pages.error.value === undefined && (
				<Empty icon={icon} title={empty} />
			)}
			{pages.items.length > 0 && (
				<div class="table-wrap">
					<table class="table">
						<thead>
							<tr>
								{heads.map((head) => (
									<th key={head}>{head}</th>
								))}
							</tr>
						</thead>
						<tbody>{pages.items.map(renderRow)}</tbody>
					</table>
				</div>
			)}
			<MoreButton pages={pages} />
		</section>
	);
};
