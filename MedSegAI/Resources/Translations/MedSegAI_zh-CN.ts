<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh-CN" sourcelanguage="en">
<context>
    <name>MedSegAI</name>
    <message>
        <source>Undo</source>
        <translation>撤销</translation>
    </message>
    <message>
        <source>Nothing to undo</source>
        <translation>没有可撤销的操作</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>重做</translation>
    </message>
    <message>
        <source>Nothing to redo</source>
        <translation>没有可重做的操作</translation>
    </message>
    <message>
        <source>How far the present step is.</source>
        <translation>当前步骤的进度。</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Stop what is being computed. Esc</source>
        <translation>停止当前计算（Esc）</translation>
    </message>
    <message>
        <source>Ready</source>
        <translation>就绪</translation>
    </message>
    <message>
        <source>What is being done.</source>
        <translation>正在进行的工作。</translation>
    </message>
    <message>
        <source>Why the last click could not be followed.</source>
        <translation>上一次操作未能执行的原因。</translation>
    </message>
    <message>
        <source>Set-up</source>
        <translation>运行环境</translation>
    </message>
    <message>
        <source>What MedSegAI needs, and whether it is here.</source>
        <translation>MedSegAI 所需的组件及其安装情况。</translation>
    </message>
    <message>
        <source>Each part that MedSegAI needs: what was found, and what to do where something is missing.</source>
        <translation>MedSegAI 所需的各个组件：检查到了什么，缺少时应如何处理。</translation>
    </message>
    <message>
        <source>Check</source>
        <translation>检查</translation>
    </message>
    <message>
        <source>Look again, in the worker process: packages, PyTorch, graphics card, memory and models.</source>
        <translation>在工作进程中重新检查：软件包、PyTorch、显卡、内存和模型。</translation>
    </message>
    <message>
        <source>Install what is missing</source>
        <translation>安装缺少的组件</translation>
    </message>
    <message>
        <source>Install the missing Python packages, and PyTorch through the PyTorch extension. You are asked first.</source>
        <translation>安装缺少的 Python 软件包，并通过 PyTorch 扩展安装 PyTorch。安装前会先征求同意。</translation>
    </message>
    <message>
        <source>What the installation said.</source>
        <translation>安装过程的输出。</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Which trained network segments the scan.</source>
        <translation>用哪个训练好的网络分割影像。</translation>
    </message>
    <message>
        <source>Model:</source>
        <translation>模型：</translation>
    </message>
    <message>
        <source>The trained network. What it segments, in what kind of scan, and how well, is said below.</source>
        <translation>训练好的网络。它分割什么、适用于哪种影像以及准确度，见下方说明。</translation>
    </message>
    <message>
        <source>What the model's card says of it.</source>
        <translation>模型卡对该模型的说明。</translation>
    </message>
    <message>
        <source>Licence:</source>
        <translation>许可证：</translation>
    </message>
    <message>
        <source>The licence of the model's weights.</source>
        <translation>模型权重的许可证。</translation>
    </message>
    <message>
        <source>Accuracy:</source>
        <translation>准确度：</translation>
    </message>
    <message>
        <source>What was measured, on which cases; from the model's card.</source>
        <translation>在哪些病例上测得的结果；摘自模型卡。</translation>
    </message>
    <message>
        <source>Add a model...</source>
        <translation>添加模型...</translation>
    </message>
    <message>
        <source>Choose a model folder (card.json and weights.safetensors) and copy it to your own models.</source>
        <translation>选择一个模型文件夹（含 card.json 和 weights.safetensors），并将其复制到您自己的模型中。</translation>
    </message>
    <message>
        <source>Scans</source>
        <translation>影像</translation>
    </message>
    <message>
        <source>The scans that the model takes.</source>
        <translation>模型所需的影像。</translation>
    </message>
    <message>
        <source>They lie right as they are</source>
        <translation>位置已经一致</translation>
    </message>
    <message>
        <source>Take all scans to lie in one space already, although nothing in the files says so.</source>
        <translation>认为所有影像已在同一空间中，尽管文件中没有说明。</translation>
    </message>
    <message>
        <source>Load the sample head</source>
        <translation>加载示例头部影像</translation>
    </message>
    <message>
        <source>The average brain ICBM152 (T1 MR), which a package on this computer carries. Nothing is downloaded.</source>
        <translation>ICBM152 平均脑（T1 MR），由本机上的软件包自带，无需下载。</translation>
    </message>
    <message>
        <source>Preparation</source>
        <translation>准备影像</translation>
    </message>
    <message>
        <source>Bring the scan into shape, and look at it before and after. A step makes a new volume that takes the scan's place; the one before is kept.</source>
        <translation>准备影像，并比较处理前后。每个步骤生成新的体数据并取代当前影像；之前的影像会保留。</translation>
    </message>
    <message>
        <source>The scan that is prepared.</source>
        <translation>正在准备的影像。</translation>
    </message>
    <message>
        <source>Kind:</source>
        <translation>类型：</translation>
    </message>
    <message>
        <source>The file does not say what kind of scan it is; the steps that fit depend on it.</source>
        <translation>文件中没有说明影像类型；可用的步骤取决于影像类型。</translation>
    </message>
    <message>
        <source>Step:</source>
        <translation>步骤：</translation>
    </message>
    <message>
        <source>What is done to the scan; only steps for this kind of scan are offered.</source>
        <translation>对影像的处理；只列出适合此类影像的步骤。</translation>
    </message>
    <message>
        <source>Scan to follow:</source>
        <translation>参考影像：</translation>
    </message>
    <message>
        <source>The scan whose grey values this one gets.</source>
        <translation>此影像将采用其灰度分布。</translation>
    </message>
    <message>
        <source>Landmarks:</source>
        <translation>标志点文件：</translation>
    </message>
    <message>
        <source>Choose a file...</source>
        <translation>选择文件...</translation>
    </message>
    <message>
        <source>A file of landmarks, as 'medsegai standardise' learns them from a set of scans.</source>
        <translation>由“medsegai standardise”从一组影像中学得的标志点文件。</translation>
    </message>
    <message>
        <source>Apply</source>
        <translation>应用</translation>
    </message>
    <message>
        <source>Apply the step to this scan, after the steps that were applied already.</source>
        <translation>在已执行的步骤之后，对此影像执行此步骤。</translation>
    </message>
    <message>
        <source>Show:</source>
        <translation>显示：</translation>
    </message>
    <message>
        <source>The scan before or after its preparation, or what the preparation found.</source>
        <translation>处理前或处理后的影像，或处理时得到的其他结果。</translation>
    </message>
    <message>
        <source>What was done to the scan so far.</source>
        <translation>已对影像执行的步骤。</translation>
    </message>
    <message>
        <source>Window preset:</source>
        <translation>预设窗：</translation>
    </message>
    <message>
        <source>Show the scan through this window. Changes only how it is shown; its values stay.</source>
        <translation>以此窗显示影像。只改变影像的显示方式；数值不变。</translation>
    </message>
    <message>
        <source>Middle:</source>
        <translation>窗位：</translation>
    </message>
    <message>
        <source>The value that is shown as middle grey.</source>
        <translation>显示为中间灰度的数值。</translation>
    </message>
    <message>
        <source>Width:</source>
        <translation>窗宽：</translation>
    </message>
    <message>
        <source>From the value shown as black to the one shown as white.</source>
        <translation>从显示为黑色的数值到显示为白色的数值。</translation>
    </message>
    <message>
        <source>Region</source>
        <translation>区域</translation>
    </message>
    <message>
        <source>Which part of the scan is segmented.</source>
        <translation>分割影像的哪一部分。</translation>
    </message>
    <message>
        <source>Find it for me</source>
        <translation>自动定位</translation>
    </message>
    <message>
        <source>The model looks for its structure in the scan.</source>
        <translation>由模型在影像中寻找其目标结构。</translation>
    </message>
    <message>
        <source>The whole scan</source>
        <translation>整幅影像</translation>
    </message>
    <message>
        <source>Every voxel is looked at; takes longest.</source>
        <translation>处理每个体素；耗时最长。</translation>
    </message>
    <message>
        <source>Inside a box</source>
        <translation>方框内</translation>
    </message>
    <message>
        <source>Only the voxels inside a box that you place.</source>
        <translation>只处理您放置的方框内的体素。</translation>
    </message>
    <message>
        <source>Place the box</source>
        <translation>放置方框</translation>
    </message>
    <message>
        <source>Put a box in the middle of the scan; drag its handles in the slice or 3D views.</source>
        <translation>在影像中央放置方框；可在切片视图或三维视图中拖动其控制点。</translation>
    </message>
    <message>
        <source>Box:</source>
        <translation>方框：</translation>
    </message>
    <message>
        <source>A box that is in the scene already, made here or in Slicer's Markups.</source>
        <translation>场景中已有的方框，可在此处或 Slicer 的 Markups 中创建。</translation>
    </message>
    <message>
        <source>Around a point</source>
        <translation>点的周围</translation>
    </message>
    <message>
        <source>The surroundings of a point that you click, for models that segment what you point at.</source>
        <translation>您单击的点周围的区域；用于分割所指结构的模型。</translation>
    </message>
    <message>
        <source>Place the point</source>
        <translation>放置点</translation>
    </message>
    <message>
        <source>Click this, then the structure in a slice view.</source>
        <translation>先单击此按钮，再在切片视图中单击目标结构。</translation>
    </message>
    <message>
        <source>What the chosen region needs.</source>
        <translation>所选区域还需要什么。</translation>
    </message>
    <message>
        <source>Click to segment</source>
        <translation>点击分割</translation>
    </message>
    <message>
        <source>Each click on a nodule gives a segment of its own, measured.</source>
        <translation>每次点击结节都会得到一个单独的、已测量的结构。</translation>
    </message>
    <message>
        <source>Point at nodule</source>
        <translation>指向结节</translation>
    </message>
    <message>
        <source>Then click on a nodule in a slice; each click segments one. Esc ends.</source>
        <translation>然后在切片中点击结节；每次点击分割一个。Esc 结束。</translation>
    </message>
    <message>
        <source>What to do, or what keeps you from it.</source>
        <translation>该做什么，或还缺什么。</translation>
    </message>
    <message>
        <source>Heat map, too</source>
        <translation>同时生成热图</translation>
    </message>
    <message>
        <source>Show after each click what drove the result.</source>
        <translation>每次点击后显示是什么决定了结果。</translation>
    </message>
    <message>
        <source>What was measured of each nodule; choose one to show it in the slices.</source>
        <translation>每个结节的测量结果；选择一个以在切片中显示。</translation>
    </message>
    <message>
        <source>Heat map</source>
        <translation>热图</translation>
    </message>
    <message>
        <source>Show what drove the chosen result.</source>
        <translation>显示是什么决定了所选结果。</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>Take the chosen segment away, with its point and its measures; undo brings it back.</source>
        <translation>移除所选结构及其点和测量结果；撤销可恢复。</translation>
    </message>
    <message>
        <source>Segment</source>
        <translation>分割</translation>
    </message>
    <message>
        <source>Run the model.</source>
        <translation>运行模型。</translation>
    </message>
    <message>
        <source>Compute on:</source>
        <translation>计算设备：</translation>
    </message>
    <message>
        <source>Automatic takes a graphics card that passes its test, else the processor.</source>
        <translation>“自动”会使用通过测试的显卡，否则使用处理器。</translation>
    </message>
    <message>
        <source>Engine:</source>
        <translation>计算引擎：</translation>
    </message>
    <message>
        <source>What evaluates the network. Automatic takes a faster one than PyTorch only where it was found to give the same. Heat maps are made by PyTorch.</source>
        <translation>用什么运行网络。“自动”仅在确认结果一致时采用比 PyTorch 更快的引擎。热图始终由 PyTorch 生成。</translation>
    </message>
    <message>
        <source>What is still needed before the scan can be segmented.</source>
        <translation>分割影像之前还需要完成的事项。</translation>
    </message>
    <message>
        <source>Segment the scan in a process of its own; Slicer stays usable. Ctrl+Return</source>
        <translation>在独立进程中分割影像，期间 Slicer 可照常使用（Ctrl+Return）</translation>
    </message>
    <message>
        <source>How the segmentation that is shown was made: model, engine, device and time.</source>
        <translation>所显示的分割结果的产生方式：模型、引擎、计算设备和用时。</translation>
    </message>
    <message>
        <source>What the last run said: how it fits into memory, and anything worth knowing.</source>
        <translation>上次运行的信息：内存占用方案，以及其他值得注意的事项。</translation>
    </message>
    <message>
        <source>Results</source>
        <translation>结果</translation>
    </message>
    <message>
        <source>The segments that were found.</source>
        <translation>分割得到的结构。</translation>
    </message>
    <message>
        <source>Segmentation:</source>
        <translation>分割结果：</translation>
    </message>
    <message>
        <source>The result that is shown. Earlier ones are kept; choose one to see it again.</source>
        <translation>当前显示的结果。以前的结果会保留；选择其中一个即可重新查看。</translation>
    </message>
    <message>
        <source>Tick a segment to show it.</source>
        <translation>勾选结构即可显示。</translation>
    </message>
    <message>
        <source>Correct in Segment Editor</source>
        <translation>在 Segment Editor 中修正</translation>
    </message>
    <message>
        <source>Open Slicer's Segment Editor on this segmentation and scan. What you correct is kept when the model runs again.</source>
        <translation>用 Slicer 的 Segment Editor 打开此分割结果和影像。再次运行模型时，您的修正会保留。</translation>
    </message>
    <message>
        <source>Refine</source>
        <translation>细化</translation>
    </message>
    <message>
        <source>A few strokes mend a segment.</source>
        <translation>用几笔笔画修补结构。</translation>
    </message>
    <message>
        <source>Segment:</source>
        <translation>结构：</translation>
    </message>
    <message>
        <source>The segment to mend near the strokes.</source>
        <translation>要在笔画附近修补的结构。</translation>
    </message>
    <message>
        <source>Draw strokes in Segment Editor</source>
        <translation>在 Segment Editor 中画笔画</translation>
    </message>
    <message>
        <source>Open Slicer's Segment Editor on the strokes: paint 'inside' where the segment belongs, 'outside' where it does not.</source>
        <translation>用 Slicer 的 Segment Editor 打开笔画：在属于该结构处涂“inside”，在不属于处涂“outside”。</translation>
    </message>
    <message>
        <source>Mend the segment near the strokes by what the image shows there; the strokes are taken away. One undo brings both back.</source>
        <translation>根据笔画附近的影像修补结构；笔画随后去掉。撤销一次即可恢复两者。</translation>
    </message>
    <message>
        <source>What is needed to refine.</source>
        <translation>细化需要什么。</translation>
    </message>
    <message>
        <source>Where the network looked for a label.</source>
        <translation>网络为得出某一标签所关注的位置。</translation>
    </message>
    <message>
        <source>The segment to explain.</source>
        <translation>要解释的结构。</translation>
    </message>
    <message>
        <source>Layer:</source>
        <translation>网络层：</translation>
    </message>
    <message>
        <source>The network's layer to explain. The first one is the model's own choice; others are coarser and less sure.</source>
        <translation>要解释的网络层。第一项是模型推荐的层；其他层更粗略，可靠性也较低。</translation>
    </message>
    <message>
        <source>Explain</source>
        <translation>解释</translation>
    </message>
    <message>
        <source>Compute the Grad-CAM++ map of this segment, in a process of its own.</source>
        <translation>在独立进程中计算该结构的 Grad-CAM++ 热图。</translation>
    </message>
    <message>
        <source>Threshold:</source>
        <translation>阈值：</translation>
    </message>
    <message>
        <source>Heat below it is transparent.</source>
        <translation>低于此值的热度显示为透明。</translation>
    </message>
    <message>
        <source>Opacity:</source>
        <translation>不透明度：</translation>
    </message>
    <message>
        <source>How strongly the heat map covers the scan.</source>
        <translation>热图遮盖影像的程度。</translation>
    </message>
    <message>
        <source>Colours:</source>
        <translation>颜色：</translation>
    </message>
    <message>
        <source>The heat map's colours, from little heat to much.</source>
        <translation>热图的颜色，从低热度到高热度。</translation>
    </message>
    <message>
        <source>in slices</source>
        <translation>在切片中</translation>
    </message>
    <message>
        <source>Lay the heat map over the slices. Ctrl+Shift+H</source>
        <translation>将热图叠加在切片上（Ctrl+Shift+H）</translation>
    </message>
    <message>
        <source>in 3D</source>
        <translation>在三维中</translation>
    </message>
    <message>
        <source>Show the surface where the heat reaches the threshold.</source>
        <translation>显示热度达到阈值处的表面。</translation>
    </message>
    <message>
        <source>What a heat map is, and what it is not.</source>
        <translation>热图表示什么，不表示什么。</translation>
    </message>
    <message>
        <source>Experts</source>
        <translation>专家</translation>
    </message>
    <message>
        <source>Corrections of several experts: kept, shown and compared.</source>
        <translation>多位专家的修正：保存、显示和比较。</translation>
    </message>
    <message>
        <source>Rater:</source>
        <translation>专家：</translation>
    </message>
    <message>
        <source>Your name, in one line, always written alike.</source>
        <translation>您的姓名，写在一行内，每次写法一致。</translation>
    </message>
    <message>
        <source>Role:</source>
        <translation>职务：</translation>
    </message>
    <message>
        <source>What you are, such as radiologist; may stay empty.</source>
        <translation>您的职务，例如放射科医生；可以留空。</translation>
    </message>
    <message>
        <source>Comment:</source>
        <translation>备注：</translation>
    </message>
    <message>
        <source>Kept with the correction; may stay empty.</source>
        <translation>随修正一起保存；可以留空。</translation>
    </message>
    <message>
        <source>Folder:</source>
        <translation>文件夹：</translation>
    </message>
    <message>
        <source>Where the corrections of this case are kept. Empty takes the folder shown in grey, named after the scan.</source>
        <translation>本病例的修正的保存位置。留空则使用灰色显示的、以影像命名的文件夹。</translation>
    </message>
    <message>
        <source>Choose the folder of this case's corrections.</source>
        <translation>选择本病例的修正所在的文件夹。</translation>
    </message>
    <message>
        <source>Save draft</source>
        <translation>存为草稿</translation>
    </message>
    <message>
        <source>Keep what you corrected so far; only what changed is stored, and the segmentation stays as it is.</source>
        <translation>保存目前的修正；只存储改动的部分，分割结果保持不变。</translation>
    </message>
    <message>
        <source>Save as final</source>
        <translation>存为最终结果</translation>
    </message>
    <message>
        <source>Keep your correction as your last word. Without a change it says that the result is right as it is.</source>
        <translation>将您的修正保存为最终意见。若未作改动，则表示结果无需修正。</translation>
    </message>
    <message>
        <source>Import a mask from a file...</source>
        <translation>从文件导入标注...</translation>
    </message>
    <message>
        <source>Take a mask (.seg.nrrd, NIfTI or DICOM SEG) as the final correction of the rater named above.</source>
        <translation>将标注（.seg.nrrd、NIfTI 或 DICOM SEG）作为上述专家的最终修正。</translation>
    </message>
    <message>
        <source>Start anew</source>
        <translation>重新开始</translation>
    </message>
    <message>
        <source>Show the model's result as it was before anybody corrected it, for the next expert to begin. Save your correction first.</source>
        <translation>显示未经任何人修正的模型结果，供下一位专家使用。请先保存您的修正。</translation>
    </message>
    <message>
        <source>What is wrong with the folder of corrections.</source>
        <translation>修正所在的文件夹有什么问题。</translation>
    </message>
    <message>
        <source>Tick a rater to show the outlines. Select one to withdraw, two to compare.</source>
        <translation>勾选专家以显示其轮廓。选中一位可撤回，选中两位可比较。</translation>
    </message>
    <message>
        <source>Compare the two selected</source>
        <translation>比较所选两位</translation>
    </message>
    <message>
        <source>Show the outlines of these two raters, and of no others.</source>
        <translation>只显示这两位专家的轮廓。</translation>
    </message>
    <message>
        <source>Withdraw...</source>
        <translation>撤回...</translation>
    </message>
    <message>
        <source>The selected rater's latest correction no longer counts; it stays in the folder.</source>
        <translation>所选专家最近的修正不再计入；它仍留在文件夹中。</translation>
    </message>
    <message>
        <source>Consensus</source>
        <translation>共识</translation>
    </message>
    <message>
        <source>What the experts say together, and how well they agree.</source>
        <translation>各位专家的共同意见，以及他们的一致程度。</translation>
    </message>
    <message>
        <source>Method:</source>
        <translation>方法：</translation>
    </message>
    <message>
        <source>How several raters become one: STAPLE weighs each by the skill it estimates, the majority counts all alike, SIMPLE leaves out those far from the rest.</source>
        <translation>如何将多位专家的意见合为一份：STAPLE 按估计的水平加权，多数表决一视同仁，SIMPLE 排除与众人相差较远者。</translation>
    </message>
    <message>
        <source>Count:</source>
        <translation>计入：</translation>
    </message>
    <message>
        <source>drafts, too</source>
        <translation>也包括草稿</translation>
    </message>
    <message>
        <source>Without it only final corrections count.</source>
        <translation>不勾选则只计入最终修正。</translation>
    </message>
    <message>
        <source>Fuse</source>
        <translation>融合</translation>
    </message>
    <message>
        <source>Make the consensus of the raters and measure how well they agree; Slicer stays usable.</source>
        <translation>得出各位专家的共识，并测量其一致程度；其间 Slicer 仍可使用。</translation>
    </message>
    <message>
        <source>Probability above which a voxel belongs to the consensus. The segmentation follows at once.</source>
        <translation>概率高于此值的体素属于共识。分割结果随即更新。</translation>
    </message>
    <message>
        <source>disagreement in slices</source>
        <translation>在切片上显示分歧</translation>
    </message>
    <message>
        <source>Lay the map of disagreement over the slices, in place of the heat map and with its threshold, opacity and colours.</source>
        <translation>将分歧图叠加在切片上，代替热图，并沿用热图的阈值、不透明度和颜色。</translation>
    </message>
    <message>
        <source>What the map of disagreement is.</source>
        <translation>分歧图是什么。</translation>
    </message>
    <message>
        <source>Next place of disagreement</source>
        <translation>下一处分歧</translation>
    </message>
    <message>
        <source>Move the slices to where the raters disagree, the largest disagreement first.</source>
        <translation>将切片移到专家意见分歧之处，分歧最大的在前。</translation>
    </message>
    <message>
        <source>Who says what there.</source>
        <translation>各位专家在该处的意见。</translation>
    </message>
    <message>
        <source>How well the raters agree on each structure. A figure's tooltip has its 95% interval.</source>
        <translation>各位专家对每个结构的一致程度。数值的提示中有其 95% 区间。</translation>
    </message>
    <message>
        <source>What the figures mean, in words.</source>
        <translation>用文字说明这些数值的含义。</translation>
    </message>
    <message>
        <source>Report...</source>
        <translation>报告...</translation>
    </message>
    <message>
        <source>Write agreement.html with tables and plots, agreement.csv and agreement.json into a folder.</source>
        <translation>将 agreement.html（含表格和图）、agreement.csv 和 agreement.json 写入文件夹。</translation>
    </message>
    <message>
        <source>Where the report lies; click to read it.</source>
        <translation>报告的位置；点击即可阅读。</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>导出</translation>
    </message>
    <message>
        <source>Results as files.</source>
        <translation>将结果保存为文件。</translation>
    </message>
    <message>
        <source>Segmentation...</source>
        <translation>分割结果...</translation>
    </message>
    <message>
        <source>Save the segmentation, corrections included, as .seg.nrrd; names, colours and codes come along.</source>
        <translation>将分割结果（包含修正）保存为 .seg.nrrd；名称、颜色和编码一并保存。</translation>
    </message>
    <message>
        <source>Heat map...</source>
        <translation>热图...</translation>
    </message>
    <message>
        <source>Save the heat map as .nrrd or .nii.gz.</source>
        <translation>将热图保存为 .nrrd 或 .nii.gz。</translation>
    </message>
    <message>
        <source>Volumes...</source>
        <translation>体积表...</translation>
    </message>
    <message>
        <source>Save the segments' volumes as a .csv table.</source>
        <translation>将各结构的体积保存为 .csv 表格。</translation>
    </message>
    <message>
        <source>Everything...</source>
        <translation>全部...</translation>
    </message>
    <message>
        <source>Save the whole scene as one .mrb file; opened again, it is the same case.</source>
        <translation>将整个场景保存为一个 .mrb 文件；重新打开即恢复同一病例。</translation>
    </message>
    <message>
        <source>Measures of nodules...</source>
        <translation>结节测量...</translation>
    </message>
    <message>
        <source>Save diameters, volume, mean HU and confidence of what was pointed at as a .csv table.</source>
        <translation>将所指结构的径线、体积、平均 HU 和置信度保存为 .csv 表格。</translation>
    </message>
    <message>
        <source>DICOM (SEG, SR, heat map)...</source>
        <translation>DICOM（SEG、SR、热图）...</translation>
    </message>
    <message>
        <source>For a PACS: segmentation, measurements and heat map as DICOM objects of the scan's own study, in a new folder.</source>
        <translation>用于 PACS：以 DICOM 对象保存分割结果、测量值和热图，归入影像所属的检查，写入新文件夹。</translation>
    </message>
    <message>
        <source>Take out the identity</source>
        <translation>去除身份信息</translation>
    </message>
    <message>
        <source>De-identify the results and the scan's own images (PS3.15 basic profile), which go along.</source>
        <translation>先从结果和影像的 DICOM 文件中去除身份信息（PS3.15 基本规范），并一同导出影像文件。</translation>
    </message>
    <message>
        <source>Outlines (RTSTRUCT), too</source>
        <translation>同时导出轮廓（RTSTRUCT）</translation>
    </message>
    <message>
        <source>For radiotherapy planning; only where every slice of a segment is a simple outline.</source>
        <translation>用于放射治疗计划；仅当结构的每个切片都是简单轮廓时可用。</translation>
    </message>
    <message>
        <source>What the DICOM files say of the patient, or why there can be none.</source>
        <translation>DICOM 文件中包含的患者信息，或无法导出的原因。</translation>
    </message>
    <message>
        <source>What was saved last.</source>
        <translation>最近保存的文件。</translation>
    </message>
    <message>
        <source>Segments a scan with a Swin-UNETR network, shows with a heat map where the network looked, and hands both to Slicer. Choose a model and a scan, and press Segment. For research only. See the &lt;a href='https://github.com/MedSegAI/MedSegAI'&gt;documentation&lt;/a&gt;.</source>
        <translation>用 Swin-UNETR 网络分割影像，用热图显示网络关注的位置，并将二者交给 Slicer。选择模型和影像，然后单击“分割”。仅供研究使用。参见&lt;a href='https://github.com/MedSegAI/MedSegAI'&gt;文档&lt;/a&gt;。</translation>
    </message>
</context>
<context>
    <name>agreement_table</name>
    <message>
        <source>Structure</source>
        <translation>结构</translation>
    </message>
    <message>
        <source>Kappa</source>
        <translation>Kappa 系数</translation>
    </message>
    <message>
        <source>Alpha</source>
        <translation>Alpha 系数</translation>
    </message>
    <message>
        <source>What was segmented.</source>
        <translation>所分割的结构。</translation>
    </message>
    <message>
        <source>Fleiss' kappa: agreement beyond chance over the voxels that all raters looked at.</source>
        <translation>Fleiss kappa：在所有专家都看过的体素上，超出偶然的一致程度。</translation>
    </message>
    <message>
        <source>Krippendorff's alpha: the same over the voxels that at least two raters looked at.</source>
        <translation>Krippendorff alpha：在至少两位专家看过的体素上的同一度量。</translation>
    </message>
    <message>
        <source>The lowest and the highest Dice of two raters.</source>
        <translation>两位专家之间 Dice 的最低值和最高值。</translation>
    </message>
</context>
<context>
    <name>background_writing</name>
    <message>
        <source>Saving {path}</source>
        <translation>正在保存 {path}</translation>
    </message>
    <message>
        <source>Nothing was saved: {reason}.</source>
        <translation>未能保存：{reason}。</translation>
    </message>
</context>
<context>
    <name>consensus_panel</name>
    <message>
        <source>The map {meaning}.</source>
        <translation>该图{meaning}。</translation>
    </message>
    <message>
        <source>shows where the raters disagree: entropy of the consensus, 1 where all labels are equally likely</source>
        <translation>显示专家意见分歧之处：共识的熵，1 表示所有标签同样可能</translation>
    </message>
    <message>
        <source>This consensus is kept from earlier. Fuse again to move its threshold and to measure agreement.</source>
        <translation>此共识是以前保存的。请重新融合，以便调整阈值并测量一致程度。</translation>
    </message>
    <message>
        <source>Place {number} of {count}: {sentence}</source>
        <translation>第 {number} 处，共 {count} 处：{sentence}</translation>
    </message>
    <message>
        <source>Choose a folder for the report</source>
        <translation>选择报告的文件夹</translation>
    </message>
    <message>
        <source>Saved as {path}</source>
        <translation>已保存为 {path}</translation>
    </message>
    <message>
        <source>Majority vote</source>
        <translation>多数表决</translation>
    </message>
    <message>
        <source>SIMPLE (without outliers)</source>
        <translation>SIMPLE（排除离群者）</translation>
    </message>
</context>
<context>
    <name>dependencies</name>
    <message>
        <source>Press 'Install what is missing'.</source>
        <translation>请单击“安装缺少的组件”。</translation>
    </message>
    <message>
        <source>missing: {names}</source>
        <translation>缺少：{names}</translation>
    </message>
    <message>
        <source>Python packages</source>
        <translation>Python 软件包</translation>
    </message>
    <message>
        <source>installed</source>
        <translation>已安装</translation>
    </message>
    <message>
        <source>not installed</source>
        <translation>未安装</translation>
    </message>
    <message>
        <source>These packages could not be installed: {names}.</source>
        <translation>以下软件包未能安装：{names}。</translation>
    </message>
    <message>
        <source>Check the connection to the internet; Slicer's error log says more.</source>
        <translation>请检查网络连接；详情见 Slicer 的错误日志。</translation>
    </message>
    <message>
        <source>MedSegAI cannot run without {names}.</source>
        <translation>缺少 {names}，MedSegAI 无法运行。</translation>
    </message>
    <message>
        <source>MedSegAI needs Slicer's PyTorch extension.</source>
        <translation>MedSegAI 需要 Slicer 的 PyTorch 扩展。</translation>
    </message>
    <message>
        <source>Install it with the Extensions Manager, restart Slicer and try again.</source>
        <translation>请在扩展管理器中安装该扩展，重新启动 Slicer 后再试。</translation>
    </message>
    <message>
        <source>PyTorch was not installed.</source>
        <translation>PyTorch 未安装。</translation>
    </message>
    <message>
        <source>MedSegAI needs these Python packages: {names}. Install them now?</source>
        <translation>MedSegAI 需要以下 Python 软件包：{names}。现在安装吗？</translation>
    </message>
</context>
<context>
    <name>experts_panel</name>
    <message>
        <source>The folder of corrections cannot be read: {reason}.</source>
        <translation>无法读取修正所在的文件夹：{reason}。</translation>
    </message>
    <message>
        <source>Choose the folder of this case's corrections</source>
        <translation>选择本病例的修正所在的文件夹</translation>
    </message>
    <message>
        <source>Masks (*.nrrd *.nii *.nii.gz *.mha *.dcm)</source>
        <translation>标注 (*.nrrd *.nii *.nii.gz *.mha *.dcm)</translation>
    </message>
    <message>
        <source>Choose a rater's mask</source>
        <translation>选择专家的标注</translation>
    </message>
</context>
<context>
    <name>export_panel</name>
    <message>
        <source>Names, numbers, dates and UIDs are taken out or replaced by the basic profile of DICOM PS3.15, in the results and in the scan's own images, which go along so that the results still belong to something. A face, and text that is written into the pixels, stay as they are: look at the images before they leave.</source>
        <translation>按 DICOM PS3.15 基本规范，从结果以及影像自身的文件中去除或替换姓名、编号、日期和 UID；影像文件一同导出，使结果仍有所属。面部以及写入像素的文字保持原样：导出前请查看图像。</translation>
    </message>
    <message>
        <source>The files carry the patient's name, number and dates as the scan's own DICOM files do: they belong to one study.</source>
        <translation>与影像自身的 DICOM 文件一样，导出的文件带有患者的姓名、编号和日期：它们属于同一检查。</translation>
    </message>
    <message>
        <source>Save the segmentation</source>
        <translation>保存分割结果</translation>
    </message>
    <message>
        <source>Segmentation (*.seg.nrrd)</source>
        <translation>分割结果 (*.seg.nrrd)</translation>
    </message>
    <message>
        <source>Save the heat map</source>
        <translation>保存热图</translation>
    </message>
    <message>
        <source>Volume (*.nrrd *.nii.gz)</source>
        <translation>体数据 (*.nrrd *.nii.gz)</translation>
    </message>
    <message>
        <source>Save the volumes</source>
        <translation>保存体积表</translation>
    </message>
    <message>
        <source>Table (*.csv)</source>
        <translation>表格 (*.csv)</translation>
    </message>
    <message>
        <source>Save the measures</source>
        <translation>保存测量结果</translation>
    </message>
    <message>
        <source>Where the folder of DICOM files goes</source>
        <translation>选择存放 DICOM 文件夹的位置</translation>
    </message>
    <message>
        <source>Save everything</source>
        <translation>全部保存</translation>
    </message>
    <message>
        <source>Slicer scene (*.mrb)</source>
        <translation>Slicer 场景 (*.mrb)</translation>
    </message>
    <message>
        <source>Saved as {path}</source>
        <translation>已保存为 {path}</translation>
    </message>
</context>
<context>
    <name>heat_panel</name>
    <message>
        <source>The heat map {meaning}.</source>
        <translation>热图{meaning}。</translation>
    </message>
    <message>
        <source>shows what drove this label in this model; not a probability</source>
        <translation>显示在本模型中是什么促成了该标签；不是概率</translation>
    </message>
</context>
<context>
    <name>input_row</name>
    <message>
        <source>Show</source>
        <translation>显示</translation>
    </message>
    <message>
        <source>Show this scan in the slices</source>
        <translation>在切片中显示此影像</translation>
    </message>
    <message>
        <source>Move this scan onto the first one, so that the same anatomy lies at the same place</source>
        <translation>移动此影像，使相同的解剖结构与第一个影像重合</translation>
    </message>
    <message>
        <source>Align</source>
        <translation>配准</translation>
    </message>
    <message>
        <source>Put this scan back to where it was before it was aligned</source>
        <translation>将此影像放回配准之前的位置</translation>
    </message>
    <message>
        <source>Put back</source>
        <translation>恢复原位</translation>
    </message>
    <message>
        <source>{name} ({modality}):</source>
        <translation>{name}（{modality}）：</translation>
    </message>
    <message>
        <source>{sentence} Overlap: {share:.0%}.</source>
        <translation>{sentence} 重叠：{share:.0%}。</translation>
    </message>
    <message>
        <source>Choose a volume</source>
        <translation>选择影像</translation>
    </message>
    <message>
        <source>The {name} scan ({modality}) that the model takes.</source>
        <translation>模型所需的 {name} 影像（{modality}）。</translation>
    </message>
</context>
<context>
    <name>model_panel</name>
    <message>
        <source>{name} (not installed)</source>
        <translation>{name}（未安装）</translation>
    </message>
    <message>
        <source>Choose a model folder</source>
        <translation>选择模型文件夹</translation>
    </message>
    <message>
        <source>not stated</source>
        <translation>未说明</translation>
    </message>
    <message>
        <source>{label}: Dice {dice:.2f}</source>
        <translation>{label}：Dice {dice:.2f}</translation>
    </message>
    <message>
        <source>mean of {count} cases of {dataset}</source>
        <translation>{dataset} 中 {count} 例的均值</translation>
    </message>
</context>
<context>
    <name>point_panel</name>
    <message>
        <source>Nodule</source>
        <translation>结节</translation>
    </message>
    <message>
        <source>Ø mm</source>
        <translation>Ø 毫米</translation>
    </message>
    <message>
        <source>mm³</source>
        <translation>立方毫米</translation>
    </message>
    <message>
        <source>HU</source>
        <translation>CT 值（HU）</translation>
    </message>
    <message>
        <source>Conf.</source>
        <translation>置信度</translation>
    </message>
    <message>
        <source>The point of '{name}' was deleted. Remove takes its segment away, too.</source>
        <translation>“{name}”的点已被删除。“移除”会同时移除其结构。</translation>
    </message>
    <message>
        <source>Click on a nodule in a slice. Esc ends.</source>
        <translation>在切片中点击结节。Esc 结束。</translation>
    </message>
    <message>
        <source>Segments what is pointed at; it does not look for nodules.</source>
        <translation>分割所指的结构；不会自行寻找结节。</translation>
    </message>
    <message>
        <source>It reaches the edge of what the model saw, or of the scan: a part of it may be cut off</source>
        <translation>它到达模型所见范围或影像的边缘：可能有一部分被截断</translation>
    </message>
    <message>
        <source>{long:.1f} x {short:.1f} mm in an axial slice; {space:.1f} mm in space.</source>
        <translation>轴位切片中 {long:.1f} x {short:.1f} 毫米；空间中 {space:.1f} 毫米。</translation>
    </message>
    <message>
        <source>Mean of the longest diameter in an axial slice and the longest one perpendicular to it</source>
        <translation>轴位切片中的最长径与垂直于它的最长径的平均值</translation>
    </message>
    <message>
        <source>Volume</source>
        <translation>体积</translation>
    </message>
    <message>
        <source>Mean of the CT in it</source>
        <translation>其中 CT 值的平均</translation>
    </message>
    <message>
        <source>Mean probability that the model gave to its own voxels; not a measure of correctness</source>
        <translation>模型对其所标体素给出的平均概率；不代表正确率</translation>
    </message>
</context>
<context>
    <name>prepare_panel</name>
    <message>
        <source>Open a scan first.</source>
        <translation>请先打开影像。</translation>
    </message>
    <message>
        <source>Not known</source>
        <translation>未知</translation>
    </message>
    <message>
        <source>Choose a file...</source>
        <translation>选择文件...</translation>
    </message>
    <message>
        <source>Choose a file of landmarks</source>
        <translation>选择标志点文件</translation>
    </message>
    <message>
        <source>Landmarks (*.json)</source>
        <translation>标志点 (*.json)</translation>
    </message>
    <message>
        <source>Hounsfield units</source>
        <translation>亨氏单位</translation>
    </message>
    <message>
        <source>Hounsfield offset of the scanner</source>
        <translation>扫描仪的亨氏单位偏移</translation>
    </message>
    <message>
        <source>Air and metal clipping</source>
        <translation>空气与金属截断</translation>
    </message>
    <message>
        <source>Window and level</source>
        <translation>窗宽窗位</translation>
    </message>
    <message>
        <source>Bias field correction (N4)</source>
        <translation>偏置场校正（N4）</translation>
    </message>
    <message>
        <source>Histogram landmarks (Nyul)</source>
        <translation>直方图标志点（Nyul）</translation>
    </message>
    <message>
        <source>Histogram matching to a reference</source>
        <translation>与参考影像的直方图匹配</translation>
    </message>
    <message>
        <source>Robust z-score</source>
        <translation>稳健 z 分数</translation>
    </message>
    <message>
        <source>Percentiles to 0..1</source>
        <translation>百分位数映射到 0..1</translation>
    </message>
    <message>
        <source>Standardised uptake values (SUV)</source>
        <translation>标准摄取值（SUV）</translation>
    </message>
    <message>
        <source>After</source>
        <translation>处理后</translation>
    </message>
    <message>
        <source>Before</source>
        <translation>处理前</translation>
    </message>
    <message>
        <source>Bias field</source>
        <translation>偏置场</translation>
    </message>
</context>
<context>
    <name>raters_table</name>
    <message>
        <source>Rater</source>
        <translation>专家</translation>
    </message>
    <message>
        <source>Status</source>
        <translation>状态</translation>
    </message>
    <message>
        <source>Sens.</source>
        <translation>敏感度</translation>
    </message>
    <message>
        <source>Spec.</source>
        <translation>特异度</translation>
    </message>
    <message>
        <source>Time</source>
        <translation>时间</translation>
    </message>
    <message>
        <source>Role</source>
        <translation>职务</translation>
    </message>
    <message>
        <source>Comment</source>
        <translation>备注</translation>
    </message>
    <message>
        <source>Tick a rater to show the outlines.</source>
        <translation>勾选专家以显示其轮廓。</translation>
    </message>
    <message>
        <source>Draft, final or withdrawn.</source>
        <translation>草稿、最终或已撤回。</translation>
    </message>
    <message>
        <source>Dice with the consensus at its most probable labels, mean over the structures; known after fusing.</source>
        <translation>与共识（取最可能的标签）的 Dice，各结构的平均值；融合后可知。</translation>
    </message>
    <message>
        <source>Sensitivity: the part of the consensus that the rater has, too; mean over the structures.</source>
        <translation>敏感度：共识中该专家也标出的比例；各结构的平均值。</translation>
    </message>
    <message>
        <source>Specificity: the part of the rest around the consensus that the rater left out, too.</source>
        <translation>特异度：共识周围的其余部分中该专家也未标出的比例。</translation>
    </message>
    <message>
        <source>When it was said, in this computer's time.</source>
        <translation>修正的时间，按本计算机的时间。</translation>
    </message>
    <message>
        <source>What the rater is.</source>
        <translation>专家的职务。</translation>
    </message>
    <message>
        <source>What the rater wrote beside it.</source>
        <translation>专家所写的备注。</translation>
    </message>
    <message>
        <source>Withdraw the latest correction of {rater}? It stays in the folder, but counts no longer.</source>
        <translation>要撤回 {rater} 最近的修正吗？它仍留在文件夹中，但不再计入。</translation>
    </message>
    <message>
        <source>{rater}: {count} entries in the folder.</source>
        <translation>{rater}：文件夹中有 {count} 条记录。</translation>
    </message>
    <message>
        <source>draft</source>
        <translation>草稿</translation>
    </message>
    <message>
        <source>final</source>
        <translation>最终</translation>
    </message>
    <message>
        <source>withdrawn</source>
        <translation>已撤回</translation>
    </message>
</context>
<context>
    <name>refine_panel</name>
    <message>
        <source>Segment the scan first.</source>
        <translation>请先分割影像。</translation>
    </message>
    <message>
        <source>Draw a few strokes inside and outside of the segment, then refine.</source>
        <translation>请在结构内外各画几笔，然后细化。</translation>
    </message>
    <message>
        <source>Slicer's Segment Editor is not available here.</source>
        <translation>此处没有 Slicer 的 Segment Editor。</translation>
    </message>
</context>
<context>
    <name>region_panel</name>
    <message>
        <source>This model cannot look for its structure; the whole scan is taken.</source>
        <translation>该模型不能自动寻找目标结构，将处理整幅影像。</translation>
    </message>
    <message>
        <source>Inside '{name}'.</source>
        <translation>“{name}”之内。</translation>
    </message>
    <message>
        <source>No box yet.</source>
        <translation>尚未放置方框。</translation>
    </message>
    <message>
        <source>Around the last point of '{name}'.</source>
        <translation>“{name}”最后一个点的周围。</translation>
    </message>
    <message>
        <source>No point yet.</source>
        <translation>尚未放置点。</translation>
    </message>
</context>
<context>
    <name>results_panel</name>
    <message>
        <source>Segment</source>
        <translation>结构</translation>
    </message>
    <message>
        <source>Volume (mL)</source>
        <translation>体积 (mL)</translation>
    </message>
    <message>
        <source>Confidence</source>
        <translation>置信度</translation>
    </message>
    <message>
        <source>{name}: {voxels} voxels. Tick to show it.</source>
        <translation>{name}：{voxels} 个体素。勾选即可显示。</translation>
    </message>
    <message>
        <source>Slicer's Segment Editor is not available here.</source>
        <translation>此处没有 Slicer 的 Segment Editor。</translation>
    </message>
    <message>
        <source>The network's mean softmax probability of this label over its voxels. It is not calibrated: it does not say how often the label is right.</source>
        <translation>网络在该标签所有体素上的平均 softmax 概率。未经校准，不表示该标签的正确率。</translation>
    </message>
</context>
<context>
    <name>run_panel</name>
    <message>
        <source>PyTorch is not installed; open Set-up to install it.</source>
        <translation>PyTorch 未安装；请打开“运行环境”进行安装。</translation>
    </message>
    <message>
        <source>Ready</source>
        <translation>就绪</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Graphics card (CUDA)</source>
        <translation>显卡 (CUDA)</translation>
    </message>
    <message>
        <source>Processor (CPU)</source>
        <translation>处理器 (CPU)</translation>
    </message>
    <message>
        <source>{what} failed. {reason}</source>
        <translation>{what}失败。{reason}</translation>
    </message>
    <message>
        <source>{what} cancelled.</source>
        <translation>{what}已取消。</translation>
    </message>
    <message>
        <source>{what}: stopping</source>
        <translation>{what}：正在停止</translation>
    </message>
    <message>
        <source>{what} done in {seconds:.1f} s.</source>
        <translation>{what}完成，用时 {seconds:.1f} 秒。</translation>
    </message>
    <message>
        <source>{what}: showing the result</source>
        <translation>{what}：正在显示结果</translation>
    </message>
    <message>
        <source>{what}: starting</source>
        <translation>{what}：正在启动</translation>
    </message>
    <message>
        <source>{what}: {stage}, {done} of {total}</source>
        <translation>{what}：{stage}，第 {done} 步，共 {total} 步</translation>
    </message>
    <message>
        <source>{step}, {left} left</source>
        <translation>{step}，剩余{left}</translation>
    </message>
    <message>
        <source>Set-up check</source>
        <translation>运行环境检查</translation>
    </message>
    <message>
        <source>Segmentation</source>
        <translation>分割</translation>
    </message>
    <message>
        <source>Heat map</source>
        <translation>热图</translation>
    </message>
    <message>
        <source>Preparation</source>
        <translation>准备影像</translation>
    </message>
    <message>
        <source>Alignment</source>
        <translation>配准</translation>
    </message>
    <message>
        <source>Saving the correction</source>
        <translation>保存修正</translation>
    </message>
    <message>
        <source>Outlines</source>
        <translation>轮廓</translation>
    </message>
    <message>
        <source>Consensus</source>
        <translation>共识</translation>
    </message>
    <message>
        <source>Refinement</source>
        <translation>细化</translation>
    </message>
    <message>
        <source>Made by {model} {version} with {engine} on {device} in {seconds:.1f} s.</source>
        <translation>由 {model} {version} 用 {engine} 在{device}上产生，用时 {seconds:.1f} 秒。</translation>
    </message>
    <message>
        <source>the graphics card {name}</source>
        <translation>显卡 {name} </translation>
    </message>
    <message>
        <source>the processor</source>
        <translation>处理器</translation>
    </message>
    <message>
        <source>about {minutes} min</source>
        <translation>约 {minutes} 分钟</translation>
    </message>
    <message>
        <source>about {seconds} s</source>
        <translation>约 {seconds} 秒</translation>
    </message>
</context>
<context>
    <name>setup_panel</name>
    <message>
        <source>Part</source>
        <translation>组件</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状态</translation>
    </message>
    <message>
        <source>Found</source>
        <translation>检查结果</translation>
    </message>
    <message>
        <source>Python packages</source>
        <translation>Python 软件包</translation>
    </message>
    <message>
        <source>Installing: {what}</source>
        <translation>正在安装：{what}</translation>
    </message>
    <message>
        <source>Installed: {what}</source>
        <translation>已安装：{what}</translation>
    </message>
    <message>
        <source>ready</source>
        <translation>就绪</translation>
    </message>
    <message>
        <source>missing</source>
        <translation>缺少</translation>
    </message>
    <message>
        <source>limited</source>
        <translation>受限</translation>
    </message>
    <message>
        <source>not here</source>
        <translation>没有</translation>
    </message>
</context>
<context>
    <name>step_settings</name>
    <message>
        <source>{title}:</source>
        <translation>{title}：</translation>
    </message>
    <message>
        <source>Shrink factor (0: by size)</source>
        <translation>缩小倍数（0：按大小选择）</translation>
    </message>
    <message>
        <source>Levels</source>
        <translation>层级数</translation>
    </message>
    <message>
        <source>Iterations of each level</source>
        <translation>每层迭代次数</translation>
    </message>
    <message>
        <source>Convergence</source>
        <translation>收敛阈值</translation>
    </message>
    <message>
        <source>Where the field is estimated</source>
        <translation>估计偏置场的范围</translation>
    </message>
    <message>
        <source>Foreground</source>
        <translation>前景</translation>
    </message>
    <message>
        <source>Measure</source>
        <translation>度量方式</translation>
    </message>
    <message>
        <source>Left out at either end (%)</source>
        <translation>两端舍去的比例（%）</translation>
    </message>
    <message>
        <source>Lower limit</source>
        <translation>下限</translation>
    </message>
    <message>
        <source>Upper limit</source>
        <translation>上限</translation>
    </message>
    <message>
        <source>Cut off what lies beyond</source>
        <translation>截断超出的值</translation>
    </message>
    <message>
        <source>Window preset</source>
        <translation>预设窗</translation>
    </message>
    <message>
        <source>Middle of an own window</source>
        <translation>自定窗的窗位</translation>
    </message>
    <message>
        <source>Width of an own window</source>
        <translation>自定窗的窗宽</translation>
    </message>
    <message>
        <source>Values</source>
        <translation>输出值</translation>
    </message>
    <message>
        <source>Where the values are no HU</source>
        <translation>数值不是 HU 时</translation>
    </message>
    <message>
        <source>Largest shift (HU)</source>
        <translation>最大偏移（HU）</translation>
    </message>
    <message>
        <source>Tissues must agree within (HU)</source>
        <translation>各组织的允许差异（HU）</translation>
    </message>
    <message>
        <source>Related to</source>
        <translation>相对于</translation>
    </message>
    <message>
        <source>Formula for lean body mass</source>
        <translation>瘦体重公式</translation>
    </message>
    <message>
        <source>found by itself</source>
        <translation>自动确定</translation>
    </message>
</context>
<context>
    <name>undo_buttons</name>
    <message>
        <source>Undo: {action} (Ctrl+Z)</source>
        <translation>撤销：{action}（Ctrl+Z）</translation>
    </message>
    <message>
        <source>Redo: {action} (Ctrl+Y)</source>
        <translation>重做：{action}（Ctrl+Y）</translation>
    </message>
    <message>
        <source>Nothing to undo</source>
        <translation>没有可撤销的操作</translation>
    </message>
    <message>
        <source>Nothing to redo</source>
        <translation>没有可重做的操作</translation>
    </message>
</context>
<context>
    <name>window_panel</name>
    <message>
        <source>Own</source>
        <translation>自定</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Lung</source>
        <translation>肺</translation>
    </message>
    <message>
        <source>Mediastinum</source>
        <translation>纵隔</translation>
    </message>
    <message>
        <source>Bone</source>
        <translation>骨</translation>
    </message>
    <message>
        <source>Brain</source>
        <translation>脑</translation>
    </message>
    <message>
        <source>Liver</source>
        <translation>肝</translation>
    </message>
    <message>
        <source>{name}, {low:g} to {high:g} HU</source>
        <translation>{name}，{low:g} 至 {high:g} HU</translation>
    </message>
</context>
</TS>
