/** Measures messages with as many accounts as its argument says, and sends the result to its parent. */
import { report } from '../report.ts';
import { measureMessages } from './report.ts';

process.send?.(measureMessages(report, Number(process.argv[2])));
