/** A node of each class whose fields have the class's defaults: what can be left out, and which fields there are. */
import { nodeClasses, type BaseNode, type NodeClassName } from './node.ts'

const id_ = ''

export const blankNodes: Readonly<Record<NodeClassName, BaseNode>> = {
  TextNode: new nodeClasses.TextNode({ id_ }),
  ImageNode: new nodeClasses.ImageNode({ id_ }),
  IndexNode: new nodeClasses.IndexNode({ id_ }),
  Node: new nodeClasses.Node({ id_ }),
  Document: new nodeClasses.Document({ id_ }),
  ImageDocument: new nodeClasses.ImageDocument({ id_ }),
}
